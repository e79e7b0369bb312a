using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Reelbase.Simulators.AppAttest;

/// <summary>What certifies phones' keys, and signs receipts: the shapes of Apple's certificates below a root that is nobody's but this simulator's.</summary>
public sealed class AppAttestAuthority
{
    private AppAttestAuthority(X509Certificate2 root, X509Certificate2 intermediate, X509Certificate2 receiptIntermediate, X509Certificate2 receiptLeaf)
    {
        Root = root;
        Intermediate = intermediate;
        ReceiptIntermediate = receiptIntermediate;
        ReceiptLeaf = receiptLeaf;
    }

    /// <summary>The root, with its key.</summary>
    public X509Certificate2 Root { get; }

    /// <summary>Certifies keys (P-384).</summary>
    public X509Certificate2 Intermediate { get; }

    /// <summary>Certifies whoever signs receipts.</summary>
    public X509Certificate2 ReceiptIntermediate { get; }

    /// <summary>Signs receipts.</summary>
    public X509Certificate2 ReceiptLeaf { get; }

    /// <summary>An authority with a root of its own.</summary>
    public static AppAttestAuthority Create()
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var request = new CertificateRequest("CN=Pretend App Attestation Root CA, O=Reelbase Simulators", key, HashAlgorithmName.SHA384);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        return Below(request.CreateSelfSigned(DateTimeOffset.UtcNow.AddYears(-3), DateTimeOffset.UtcNow.AddYears(10)));
    }

    /// <summary>An authority below a root that is there already.</summary>
    public static AppAttestAuthority Below(X509Certificate2 root)
    {
        var integration = Authorize("CN=Pretend Application Integration CA 5, O=Reelbase Simulators", root, ECCurve.NamedCurves.nistP256);
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Pretend Attestation Fraud Receipt Signing, O=Reelbase Simulators", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        using var integrationKey = integration.GetECDsaPrivateKey()!;
        using var leaf = request.Create(
            integration.SubjectName,
            X509SignatureGenerator.CreateForECDsa(integrationKey),
            new DateTimeOffset(root.NotBefore),
            new DateTimeOffset(root.NotAfter),
            Serial()
        );
        return new(
            root,
            Authorize("CN=Pretend App Attestation CA 1, O=Reelbase Simulators", root, ECCurve.NamedCurves.nistP384),
            integration,
            leaf.CopyWithPrivateKey(key)
        );
    }

    /// <summary>A certificate authority below an issuer.</summary>
    public static X509Certificate2 Authorize(string name, X509Certificate2 issuer, ECCurve curve, DateTimeOffset? ends = null)
    {
        var key = ECDsa.Create(curve);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA384);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        using var issuerKey = issuer.GetECDsaPrivateKey()!;
        using var made = request.Create(
            issuer.SubjectName,
            X509SignatureGenerator.CreateForECDsa(issuerKey),
            new DateTimeOffset(issuer.NotBefore),
            ends ?? new DateTimeOffset(issuer.NotAfter),
            Serial()
        );
        return made.CopyWithPrivateKey(key);
    }

    internal static byte[] Serial()
    {
        var serial = RandomNumberGenerator.GetBytes(12);
        serial[0] = (byte)((serial[0] & 0x7f) | 1);
        return serial;
    }
}
