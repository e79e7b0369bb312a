using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Reelbase.Server.Integrations.Apple.AppAttest;

/// <summary>Certificates that have to lead, each signed by the next, to one root of our own.</summary>
internal static class PinnedChain
{
    private const int MaxCertificateBytes = 8 * 1024;

    /// <summary>A certificate (DER), or null when it is none.</summary>
    public static X509Certificate2? Load(byte[] bytes)
    {
        try
        {
            if (bytes.Length is 0 or > MaxCertificateBytes || X509Certificate2.GetCertContentType(bytes) != X509ContentType.Cert)
            {
                return null;
            }
            var certificate = X509CertificateLoader.LoadCertificate(bytes);
            // Nothing in another form (PEM) and nothing behind it.
            return certificate.RawDataMemory.Span.SequenceEqual(bytes) ? certificate : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <summary>What is wrong with a chain at a time.</summary>
    /// <param name="certificates">The leaf first; the root may be missing.</param>
    /// <param name="at">When it has to be valid.</param>
    /// <param name="maxSkew">How far our clock may be off for the leaf, which Apple makes at that moment.</param>
    public static AppAttestFault Check(IReadOnlyList<X509Certificate2> certificates, IEnumerable<X509Certificate2> roots, DateTimeOffset at, TimeSpan maxSkew)
    {
        var worst = AppAttestFault.UntrustedChain;
        foreach (var root in roots)
        {
            switch (Check(certificates, root, NearValidity(certificates[0], at.UtcDateTime, maxSkew)))
            {
                case AppAttestFault.None:
                    return AppAttestFault.None;
                case AppAttestFault.Expired:
                    worst = AppAttestFault.Expired;
                    break;
            }
        }
        return worst;
    }

    private static AppAttestFault Check(IReadOnlyList<X509Certificate2> certificates, X509Certificate2 root, DateTime at)
    {
        using var chain = new X509Chain
        {
            ChainPolicy =
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                DisableCertificateDownloads = true,
                RevocationMode = X509RevocationMode.NoCheck,
                VerificationFlags = X509VerificationFlags.NoFlag,
                VerificationTime = at,
                VerificationTimeIgnored = false,
            },
        };
        chain.ChainPolicy.CustomTrustStore.Add(root);
        foreach (var certificate in certificates.Skip(1))
        {
            chain.ChainPolicy.ExtraStore.Add(certificate);
        }
        var holds = chain.Build(certificates[0]);
        // Every certificate that came has to be one of the chain, and nothing else may be in it.
        IEnumerable<X509Certificate2> expected = AreEqual(certificates[^1], root) ? certificates : [.. certificates, root];
        if (!chain.ChainElements.Select(element => element.Certificate).SequenceEqual(expected, EqualityComparer<X509Certificate2>.Create(AreEqual)))
        {
            return AppAttestFault.UntrustedChain;
        }
        return holds ? AppAttestFault.None
            : Array.TrueForAll(chain.ChainStatus, status => status.Status == X509ChainStatusFlags.NotTimeValid) ? AppAttestFault.Expired
            : AppAttestFault.UntrustedChain;
    }

    private static bool AreEqual(X509Certificate2? one, X509Certificate2? other) => one!.RawDataMemory.Span.SequenceEqual(other!.RawDataMemory.Span);

    private static DateTime NearValidity(X509Certificate2 leaf, DateTime at, TimeSpan maxSkew)
    {
        var (from, to) = (leaf.NotBefore.ToUniversalTime(), leaf.NotAfter.ToUniversalTime());
        return at < from && from - at <= maxSkew ? from
            // OpenSSL counts the last second as over.
            : at >= to && at - to <= maxSkew ? to.AddSeconds(-1)
            : at;
    }
}
