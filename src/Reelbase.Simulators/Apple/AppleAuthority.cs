using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;

namespace Reelbase.Simulators.Apple;

/// <summary>
/// A chain of certificates as the App Store's: root, intermediate and leaf with Apple's marker extensions. Signs what the App Store signs. Its root is nobody's
/// but this simulator's.
/// </summary>
public sealed class AppleAuthority
{
    /// <summary>Marks certificates that sign receipts.</summary>
    public const string ReceiptSigningOid = "1.2.840.113635.100.6.11.1";

    /// <summary>Marks Apple's intermediate authority.</summary>
    public const string DeveloperRelationsOid = "1.2.840.113635.100.6.2.1";

    private static readonly byte[] AsnNull = [5, 0];

    /// <summary>The trusted root.</summary>
    public X509Certificate2 Root { get; }

    /// <summary>Signed by the root.</summary>
    public X509Certificate2 Intermediate { get; }

    /// <summary>Signs data.</summary>
    public X509Certificate2 Leaf { get; }

    private AppleAuthority(X509Certificate2 root, X509Certificate2 intermediate, X509Certificate2 leaf)
    {
        Root = root;
        Intermediate = intermediate;
        Leaf = leaf;
    }

    /// <summary>A new authority.</summary>
    /// <param name="leafOid">The leaf's marker; null for none.</param>
    /// <param name="intermediateOid">The intermediate's marker; null for none.</param>
    /// <param name="leafEnds">When the leaf's validity ends; two years from now by default.</param>
    /// <param name="leafCurve">The leaf's curve; P-256 as Apple's.</param>
    /// <param name="below">The root to stand below, with its key; a new one by default.</param>
    /// <param name="leafBegins">When the leaf's validity begins; with the root's by default.</param>
    public static AppleAuthority Create(
        string? leafOid = ReceiptSigningOid,
        string? intermediateOid = DeveloperRelationsOid,
        DateTimeOffset? leafEnds = null,
        ECCurve? leafCurve = null,
        X509Certificate2? below = null,
        DateTimeOffset? leafBegins = null
    )
    {
        // Nothing may outlive the root that it stands below.
        var from = below is null ? DateTimeOffset.UtcNow.AddYears(-3) : new DateTimeOffset(below.NotBefore);
        var to = below is null ? DateTimeOffset.UtcNow.AddYears(10) : new DateTimeOffset(below.NotAfter);
        var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var rootRequest = new CertificateRequest("CN=Pretend Apple Root CA, O=Reelbase Simulators", rootKey, HashAlgorithmName.SHA384);
        rootRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        rootRequest.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        rootRequest.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(rootRequest.PublicKey, false));
        var root = below ?? rootRequest.CreateSelfSigned(from, to);

        var intermediateKey = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var intermediateRequest = new CertificateRequest(
            "CN=Pretend Worldwide Developer Relations, O=Reelbase Simulators",
            intermediateKey,
            HashAlgorithmName.SHA384
        );
        intermediateRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        intermediateRequest.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        Mark(intermediateRequest, intermediateOid);
        var intermediate = intermediateRequest.Create(root, from, to, Serial()).CopyWithPrivateKey(intermediateKey);

        var leafKey = ECDsa.Create(leafCurve ?? ECCurve.NamedCurves.nistP256);
        var leafRequest = new CertificateRequest(
            "CN=Pretend App Store and iTunes Store Receipt Signing, O=Reelbase Simulators",
            leafKey,
            HashAlgorithmName.SHA384
        );
        leafRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        leafRequest.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        Mark(leafRequest, leafOid);
        var leaf = leafRequest.Create(intermediate, leafBegins ?? from, leafEnds ?? DateTimeOffset.UtcNow.AddYears(2), Serial()).CopyWithPrivateKey(leafKey);
        return new(root, intermediate, leaf);
    }

    /// <summary>The authority kept in a folder, made at the first time, so that what was signed before a restart stays believable.</summary>
    public static AppleAuthority Open(string? directory)
    {
        if (directory is null)
        {
            return Create();
        }
        string[] names = ["root", "intermediate", "leaf"];
        if (!File.Exists(Path.Combine(directory, "leaf.pem")))
        {
            Directory.CreateDirectory(directory);
            var made = Create();
            foreach (var (name, certificate) in names.Zip([made.Root, made.Intermediate, made.Leaf]))
            {
                var path = Path.Combine(directory, name + ".pem");
                using var file = new FileStream(
                    path,
                    new FileStreamOptions
                    {
                        Mode = FileMode.Create,
                        Access = FileAccess.Write,
                        UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
                    }
                );
                file.Write(
                    System.Text.Encoding.UTF8.GetBytes(certificate.ExportCertificatePem() + "\n" + certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem())
                );
            }
            File.WriteAllBytes(Path.Combine(directory, "root.cer"), made.Root.RawData);
        }
        var kept = Array.ConvertAll(names, name => X509Certificate2.CreateFromPemFile(Path.Combine(directory, name + ".pem")));
        return new(kept[0], kept[1], kept[2]);
    }

    /// <summary>Signs a payload as the App Store does: ES256, the chain in the header.</summary>
    public string Sign(object payload) => Sign(JsonSerializer.SerializeToUtf8Bytes(payload));

    /// <summary>Signs bytes; with another chain or algorithm in the header when a test wants that.</summary>
    public string Sign(byte[] payload, string alg = "ES256", IEnumerable<X509Certificate2>? chain = null, ECDsa? key = null)
    {
        var header = JsonSerializer.SerializeToUtf8Bytes(
            new { alg, x5c = (chain ?? [Leaf, Intermediate, Root]).Select(certificate => Convert.ToBase64String(certificate.RawData)) }
        );
        var text = $"{Base64.UrlEncode(header)}.{Base64.UrlEncode(payload)}";
        var signature = (key ?? Leaf.GetECDsaPrivateKey()!).SignData(Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256);
        return $"{text}.{Base64.UrlEncode(signature)}";
    }

    private static void Mark(CertificateRequest request, string? oid)
    {
        if (oid is not null)
        {
            request.CertificateExtensions.Add(new X509Extension(oid, AsnNull, critical: false));
        }
    }

    private static byte[] Serial()
    {
        var serial = RandomNumberGenerator.GetBytes(12);
        serial[0] &= 0x7f;
        return serial;
    }
}
