using System.Security.Cryptography;
using System.Text;
using Microsoft.IdentityModel.Tokens;
using Reelbase.Server.Platform.Storage;

namespace Reelbase.Server.Platform.Security;

/// <summary>The keys of this installation. Every node needs the same ones.</summary>
public sealed class Keys
{
    private const string SigningKeyName = "signing-key.pem";
    private const string TokenSecretName = "token-secret";
    private const string SigningKeySetting = "Security:SigningKeyFile (an EC P-256 private key, PEM)";
    private const string TokenSecretSetting = "Security:TokenSecret (at least 32 characters)";
    private readonly byte[] _secret;

    private Keys(ECDsa signing, IEnumerable<ECDsa> previous, byte[] secret)
    {
        _secret = secret;
        Signing = WithId(signing);
        Public = [WithId(PublicPart(signing)), .. previous.Select(WithId)];
    }

    /// <summary>Signs access tokens (ES256).</summary>
    public ECDsaSecurityKey Signing { get; }

    /// <summary>Public keys whose tokens are accepted: the current one first, then earlier ones.</summary>
    public IReadOnlyList<ECDsaSecurityKey> Public { get; }

    /// <summary>A key for one purpose, made from the secret; knowing one says nothing about another.</summary>
    public byte[] Derive(string purpose) => HKDF.DeriveKey(HashAlgorithmName.SHA256, _secret, 32, info: Encoding.UTF8.GetBytes("reelbase " + purpose));

    /// <summary>Reads the keys that the options name; where they name none, makes and keeps them in <paramref name="directory"/> if <paramref name="mayCreate"/>.</summary>
    /// <exception cref="InvalidOperationException">Names the setting that is missing or wrong.</exception>
    public static Keys Load(SecurityOptions options, string directory, bool mayCreate)
    {
        var pem =
            options.SigningKey
            ?? ReadFile(options.SigningKeyFile, "Security:SigningKeyFile")
            ?? ReadOrCreate(
                directory,
                SigningKeyName,
                mayCreate,
                SigningKeySetting,
                () => ECDsa.Create(ECCurve.NamedCurves.nistP256).ExportPkcs8PrivateKeyPem()
            );
        var secret =
            options.TokenSecret
            ?? ReadFile(options.TokenSecretFile, "Security:TokenSecretFile")
            ?? ReadOrCreate(directory, TokenSecretName, mayCreate, TokenSecretSetting, () => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)));
        if (secret.Trim().Length < 32)
        {
            throw new InvalidOperationException("Security:TokenSecret is too short: use at least 32 random characters");
        }
        return new(
            Import(pem, "Security:SigningKey"),
            options.PreviousPublicKeys.Select(key => Import(key, "Security:PreviousPublicKeys")),
            Encoding.UTF8.GetBytes(secret.Trim())
        );
    }

    /// <summary>The keys that neither the options nor the directory have, one sentence each.</summary>
    public static IEnumerable<string> FindMissing(SecurityOptions options, string directory)
    {
        if (options.SigningKey is null && options.SigningKeyFile is null && !File.Exists(Path.Combine(directory, SigningKeyName)))
        {
            yield return $"{SigningKeySetting} is missing: in Production keys are given, never made up";
        }
        if (options.TokenSecret is null && options.TokenSecretFile is null && !File.Exists(Path.Combine(directory, TokenSecretName)))
        {
            yield return $"{TokenSecretSetting} is missing: in Production keys are given, never made up";
        }
    }

    /// <summary>Files that are named and cannot be read, one sentence each.</summary>
    public static IEnumerable<string> FindUnreadable(SecurityOptions options)
    {
        (string? Path, string Setting)[] files = [(options.SigningKeyFile, "Security:SigningKeyFile"), (options.TokenSecretFile, "Security:TokenSecretFile")];
        foreach (var (path, setting) in files)
        {
            if (path is not null && FaultOf(path) is { } fault)
            {
                yield return $"{setting} names {path}, which {fault}";
            }
        }
    }

    private static string? FaultOf(string path)
    {
        try
        {
            File.OpenRead(path).Dispose();
            return null;
        }
        catch (UnauthorizedAccessException)
        {
            return "this user may not read";
        }
        catch (IOException)
        {
            return "does not exist";
        }
    }

    private static ECDsa Import(string pem, string setting)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(pem);
        }
        catch (Exception error) when (error is ArgumentException or CryptographicException)
        {
            throw new InvalidOperationException($"{setting} is not a key in PEM form: make one with openssl ecparam -genkey -name prime256v1", error);
        }
        return key.KeySize == 256 ? key : throw new InvalidOperationException($"{setting} must be a P-256 key");
    }

    private static string? ReadFile(string? path, string setting)
    {
        if (path is null)
        {
            return null;
        }
        return File.Exists(path) ? File.ReadAllText(path) : throw new InvalidOperationException($"{setting} names {path}, which does not exist");
    }

    private static string ReadOrCreate(string directory, string name, bool mayCreate, string setting, Func<string> create)
    {
        var path = Path.Combine(directory, name);
        if (!File.Exists(path))
        {
            if (!mayCreate)
            {
                throw new InvalidOperationException($"{setting} is missing: in Production keys are given, never made up");
            }
            PrivateFiles.OwnFolder(directory);
            var temporary = path + "." + Guid.NewGuid().ToString("N");
            using (var file = PrivateFiles.Create(temporary))
            {
                file.Write(Encoding.UTF8.GetBytes(create()));
            }
            try
            {
                // Never over an existing file: of two first starts at once, the first one's key is everybody's.
                File.Move(temporary, path, overwrite: false);
            }
            catch (IOException) when (File.Exists(path))
            {
                File.Delete(temporary);
            }
        }
        return File.ReadAllText(path);
    }

    private static ECDsa PublicPart(ECDsa key)
    {
        var part = ECDsa.Create();
        part.ImportSubjectPublicKeyInfo(key.ExportSubjectPublicKeyInfo(), out _);
        return part;
    }

    private static ECDsaSecurityKey WithId(ECDsa key) => new(key) { KeyId = Base64UrlEncoder.Encode(SHA256.HashData(key.ExportSubjectPublicKeyInfo()))[..16] };
}
