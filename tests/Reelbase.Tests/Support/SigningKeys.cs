using System.Security.Cryptography;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Tests.Support;

/// <summary>Keys of an installation that are made up for a test.</summary>
public static class SigningKeys
{
    /// <summary>A new signing key in PEM form.</summary>
    public static string New()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return key.ExportPkcs8PrivateKeyPem();
    }

    /// <summary>What others may know of it.</summary>
    public static string PublicOf(string key)
    {
        using var whole = ECDsa.Create();
        whole.ImportFromPem(key);
        return whole.ExportSubjectPublicKeyInfoPem();
    }

    /// <summary>The keys of an installation that signs with this one.</summary>
    public static Keys Load(string key, params string[] previous) => Load(key, new string('s', 32), previous);

    /// <summary>The same with a secret of its own.</summary>
    public static Keys Load(string key, string secret, string[] previous) =>
        Keys.Load(
            new SecurityOptions
            {
                SigningKey = key,
                PreviousPublicKeys = previous,
                TokenSecret = secret,
            },
            "",
            mayCreate: false
        );
}
