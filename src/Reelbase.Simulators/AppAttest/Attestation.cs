using System.Buffers.Binary;
using System.Formats.Asn1;
using System.Formats.Cbor;
using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Reelbase.Simulators.AppAttest;

/// <summary>
/// An attestation in the making, as a phone and Apple make it together. Every part can be replaced before <see cref="Build"/>; what is not, follows from the rest, so
/// that one change makes exactly one thing wrong.
/// </summary>
public sealed class Attestation(AppAttestAuthority authority, ECDsa key, string appId, byte[] clientDataHash)
{
    /// <summary>Apple's mark of phones with the app from the App Store or TestFlight.</summary>
    public static byte[] ProductionAaguid => "appattest\0\0\0\0\0\0\0"u8.ToArray();

    /// <summary>Apple's mark of phones with a build from Xcode.</summary>
    public static byte[] DevelopmentAaguid => "appattestdevelop"u8.ToArray();

    private const string NonceOid = "1.2.840.113635.100.8.2";
    private static readonly byte[] ExtendedUse = [0x30, 0x0b, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x63, 0x64, 0x04, 0x18];

    /// <summary>What the app passed to <c>attestKey</c>.</summary>
    public byte[] ClientDataHash { get; } = clientDataHash;
    public string Format { get; set; } = "apple-appattest";
    public string AppId { get; set; } = appId;
    public byte[] Aaguid { get; set; } = ProductionAaguid;
    public uint Counter { get; set; }
    public byte Flags { get; set; } = 0x40;

    /// <summary>The key that is certified.</summary>
    public AsymmetricAlgorithm CertifiedKey { get; set; } = key;

    /// <summary>The key in the authenticator data.</summary>
    public ECDsa CredentialKey { get; set; } = key;
    public byte[]? CredentialId { get; set; }

    /// <summary>As iOS 27 writes them: Apple's validation category and the bundle version. Null: none, as iOS 26 and earlier.</summary>
    public int? Category { get; set; }

    /// <summary>Follows the key in the authenticator data.</summary>
    public byte[]? Extensions { get; set; }
    public byte[]? AuthenticatorData { get; set; }
    public byte[]? Nonce { get; set; }

    /// <summary>The values of the extensions that carry the nonce; by default one.</summary>
    public IReadOnlyList<byte[]>? NonceExtensions { get; set; }
    public DateTimeOffset From { get; set; } = DateTimeOffset.UtcNow.AddDays(-1);
    public DateTimeOffset To { get; set; } = DateTimeOffset.UtcNow.AddDays(2);
    public X509Certificate2 Issuer { get; set; } = authority.Intermediate;

    /// <summary>Who signs the leaf, when it is not its issuer.</summary>
    public ECDsa? Signer { get; set; }

    /// <summary>The whole chain; by default leaf and issuer.</summary>
    public Func<byte[], IReadOnlyList<byte[]>>? Chain { get; set; }

    /// <summary>Changes the receipt's fields before it is signed.</summary>
    public Action<Dictionary<int, byte[]>>? ReceiptFields { get; set; }

    /// <summary>Whose receipt it is.</summary>
    public AppAttestAuthority ReceiptAuthority { get; set; } = authority;

    /// <summary>Changes the receipt after it was signed; null leaves it out.</summary>
    public Func<byte[], byte[]?> Receipt { get; set; } = receipt => receipt;

    /// <summary>The object that the app gets.</summary>
    public byte[] Build()
    {
        var data = AuthenticatorData ?? BuildAuthenticatorData();
        var leaf = Certify(Nonce ?? SHA256.HashData([.. data, .. ClientDataHash]));
        var chain = Chain?.Invoke(leaf) ?? [leaf, Issuer.RawData];
        var receipt = Receipt(SignReceipt(leaf));
        return Write(Format, chain, receipt, data);
    }

    /// <summary>The outermost CBOR.</summary>
    public static byte[] Write(string format, IReadOnlyList<byte[]>? chain, byte[]? receipt, byte[] data)
    {
        var writer = new CborWriter(CborConformanceMode.Ctap2Canonical);
        writer.WriteStartMap(3);
        writer.WriteTextString("fmt");
        writer.WriteTextString(format);
        writer.WriteTextString("attStmt");
        writer.WriteStartMap((chain is null ? 0 : 1) + (receipt is null ? 0 : 1));
        if (chain is not null)
        {
            writer.WriteTextString("x5c");
            writer.WriteStartArray(chain.Count);
            foreach (var certificate in chain)
            {
                writer.WriteByteString(certificate);
            }
            writer.WriteEndArray();
        }
        if (receipt is not null)
        {
            writer.WriteTextString("receipt");
            writer.WriteByteString(receipt);
        }
        writer.WriteEndMap();
        writer.WriteTextString("authData");
        writer.WriteByteString(data);
        writer.WriteEndMap();
        return writer.Encode();
    }

    /// <summary>The extensions of iOS 27.</summary>
    public static byte[] WriteExtensions(int category)
    {
        var bytes = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, category);
        var writer = new CborWriter(CborConformanceMode.Ctap2Canonical);
        writer.WriteStartMap(2);
        writer.WriteTextString("apple_bundle_version_01");
        writer.WriteTextString("1");
        writer.WriteTextString("apple_validation_category_01");
        writer.WriteByteString(bytes);
        writer.WriteEndMap();
        return writer.Encode();
    }

    /// <summary>rpIdHash, flags and counter.</summary>
    public static byte[] WriteHeader(string appId, byte flags, uint counter)
    {
        var header = new byte[37];
        SHA256.HashData(Encoding.UTF8.GetBytes(appId), header);
        header[32] = flags;
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(33), counter);
        return header;
    }

    /// <summary>A public key as X9.62 writes it.</summary>
    public static byte[] Point(ECDsa key)
    {
        var q = key.ExportParameters(false).Q;
        return [4, .. q.X!, .. q.Y!];
    }

    /// <summary>A public key in COSE.</summary>
    public static byte[] Cose(ECDsa key)
    {
        var q = key.ExportParameters(false).Q;
        var writer = new CborWriter(CborConformanceMode.Ctap2Canonical);
        writer.WriteStartMap(5);
        foreach (var (label, value) in new[] { (1, 2), (3, -7), (-1, 1) })
        {
            writer.WriteInt32(label);
            writer.WriteInt32(value);
        }
        writer.WriteInt32(-2);
        writer.WriteByteString(q.X!);
        writer.WriteInt32(-3);
        writer.WriteByteString(q.Y!);
        writer.WriteEndMap();
        return writer.Encode();
    }

    /// <summary>The authenticator data with the parts as they are now.</summary>
    public byte[] BuildAuthenticatorData()
    {
        var id = CredentialId ?? SHA256.HashData(Point(CredentialKey));
        var length = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)id.Length);
        var extensions = Extensions ?? (Category is { } category ? WriteExtensions(category) : []);
        return [.. WriteHeader(AppId, Flags, Counter), .. Aaguid, .. length, .. id, .. Cose(CredentialKey), .. extensions];
    }

    /// <summary>The value of the extension with a nonce.</summary>
    public static byte[] WriteNonce(byte[] nonce)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 1)))
        {
            writer.WriteOctetString(nonce);
        }
        return writer.Encode();
    }

    private byte[] Certify(byte[] nonce)
    {
        var name = $"CN={Convert.ToHexStringLower(SHA256.HashData(Point(CredentialKey)))}, OU=AAA Certification, O=Reelbase Simulators";
        var usage =
            X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.NonRepudiation | X509KeyUsageFlags.KeyEncipherment | X509KeyUsageFlags.DataEncipherment;
        using var signer = Signer is null ? Issuer.GetECDsaPrivateKey() : null;
        return LeafCertificate.Write(
            new(name),
            CertifiedKey,
            Issuer.SubjectName,
            Signer ?? signer!,
            From,
            To,
            [
                new X509BasicConstraintsExtension(false, false, 0, true),
                new X509KeyUsageExtension(usage, true),
                .. Category is null ? [] : (X509Extension[])[new("2.5.29.37", ExtendedUse, false)],
                .. (NonceExtensions ?? [WriteNonce(nonce)]).Select(value => new X509Extension(NonceOid, value, false)),
            ]
        );
    }

    private byte[] SignReceipt(byte[] leaf)
    {
        var fields = new Dictionary<int, byte[]>
        {
            [2] = Encoding.UTF8.GetBytes(AppId),
            [3] = leaf,
            [4] = ClientDataHash,
            [5] = Encoding.UTF8.GetBytes(Convert.ToBase64String(RandomNumberGenerator.GetBytes(64))),
            [6] = "ATTEST"u8.ToArray(),
            [7] = Aaguid.AsSpan().SequenceEqual(ProductionAaguid) ? "production"u8.ToArray() : "sandbox"u8.ToArray(),
            [12] = Encoding.UTF8.GetBytes(DateTime.UtcNow.ToString("O")),
            [21] = Encoding.UTF8.GetBytes(DateTime.UtcNow.AddDays(90).ToString("O")),
        };
        ReceiptFields?.Invoke(fields);
        var writer = new AsnWriter(AsnEncodingRules.BER);
        using (writer.PushSetOf())
        {
            foreach (var (type, value) in fields)
            {
                using (writer.PushSequence())
                {
                    writer.WriteInteger(type);
                    writer.WriteInteger(1);
                    writer.WriteOctetString(value);
                }
            }
        }
        var message = new SignedCms(new ContentInfo(writer.Encode()));
        message.ComputeSignature(
            new CmsSigner(SubjectIdentifierType.IssuerAndSerialNumber, ReceiptAuthority.ReceiptLeaf) { IncludeOption = X509IncludeOption.EndCertOnly }
        );
        message.AddCertificate(ReceiptAuthority.ReceiptIntermediate);
        message.AddCertificate(ReceiptAuthority.Root);
        return message.Encode();
    }
}
