using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Reelbase.Server.Integrations.Apple.AppAttest;

/// <summary>
/// The receipt in an attestation: a signed PKCS #7 whose content is a set of (type, version, value). We do not ask Apple about it, but what comes with an attestation
/// has to be of it.
/// </summary>
internal static class AttestationReceipt
{
    private const int AppIdField = 2;
    private const int CertificateField = 3;
    private const int ClientDataHashField = 4;
    private const int KindField = 6;
    private const int MaxFields = 64;
    private const string SignedDataOid = "1.2.840.113549.1.7.2";
    private const string DataOid = "1.2.840.113549.1.7.1";
    private const string Sha256Oid = "2.16.840.1.101.3.4.2.1";
    private static readonly Asn1Tag Explicit0 = new(TagClass.ContextSpecific, 0, isConstructed: true);

    public static AppAttestFault Check(
        byte[]? bytes,
        string appId,
        X509Certificate2 credential,
        ReadOnlySpan<byte> clientDataHash,
        IEnumerable<X509Certificate2> roots,
        DateTimeOffset at,
        TimeSpan maxSkew
    )
    {
        if (bytes is null)
        {
            return AppAttestFault.Receipt;
        }
        try
        {
            var fields = Read(bytes, roots, at, maxSkew);
            return
                fields.TryGetValue(AppIdField, out var app)
                && Encoding.UTF8.GetString(app) == appId
                && fields.TryGetValue(CertificateField, out var certificate)
                && certificate.AsSpan().SequenceEqual(credential.RawDataMemory.Span)
                && fields.TryGetValue(ClientDataHashField, out var hash)
                && hash.AsSpan().SequenceEqual(clientDataHash)
                && fields.TryGetValue(KindField, out var kind)
                && Encoding.UTF8.GetString(kind) == "ATTEST"
                ? AppAttestFault.None
                : AppAttestFault.Receipt;
        }
        catch (Exception error)
            when (error is CryptographicException or AsnContentException or AppAttestRefusal or InvalidOperationException or ArgumentException)
        {
            return AppAttestFault.Receipt;
        }
    }

    /// <summary>What the signature does not cover and the library takes in any value: versions and the names of what is inside.</summary>
    private static void CheckForm(byte[] bytes)
    {
        var outer = new AsnReader(bytes, AsnEncodingRules.BER).ReadSequence();
        Expect(outer.ReadObjectIdentifier() == SignedDataOid);
        var signed = outer.ReadSequence(Explicit0).ReadSequence();
        Expect(signed.ReadInteger() == BigInteger.One);
        var digests = signed.ReadSetOf(skipSortOrderValidation: true);
        ReadSha256(digests);
        digests.ThrowIfNotEmpty();
        Expect(signed.ReadSequence().ReadObjectIdentifier() == DataOid);
        Expect(signed.PeekTag().HasSameClassAndValue(Explicit0));
        signed.ReadEncodedValue();
        var signer = signed.ReadSetOf(skipSortOrderValidation: true).ReadSequence();
        Expect(signer.ReadInteger() == BigInteger.One);
        signer.ReadEncodedValue();
        ReadSha256(signer);
    }

    private static void ReadSha256(AsnReader reader)
    {
        var algorithm = reader.ReadSequence();
        Expect(algorithm.ReadObjectIdentifier() == Sha256Oid);
        if (algorithm.HasData)
        {
            algorithm.ReadNull();
        }
        algorithm.ThrowIfNotEmpty();
    }

    private static void Expect(bool holds) => AppAttestRefusal.Unless(holds, AppAttestFault.Receipt);

    private static Dictionary<int, byte[]> Read(byte[] bytes, IEnumerable<X509Certificate2> roots, DateTimeOffset at, TimeSpan maxSkew)
    {
        CheckForm(bytes);
        var message = new SignedCms();
        message.Decode(bytes);
        AppAttestRefusal.Unless(message.SignerInfos.Count == 1 && message.SignerInfos[0].Certificate is not null, AppAttestFault.Receipt);
        message.CheckSignature(verifySignatureOnly: true);
        var signer = message.SignerInfos[0].Certificate!;
        // The signer first, then whoever issued each; what does not belong to the chain is no part of a receipt.
        var chain = new List<X509Certificate2> { signer };
        while (chain.Count < message.Certificates.Count)
        {
            var issuer = chain[^1].IssuerName.RawData;
            var next = message.Certificates.FirstOrDefault(certificate =>
                certificate.SubjectName.RawData.AsSpan().SequenceEqual(issuer) && !chain.Contains(certificate)
            );
            AppAttestRefusal.Unless(next is not null, AppAttestFault.Receipt);
            chain.Add(next!);
        }
        AppAttestRefusal.Unless(PinnedChain.Check(chain, roots, at, maxSkew) == AppAttestFault.None, AppAttestFault.Receipt);
        var fields = new Dictionary<int, byte[]>();
        var reader = new AsnReader(message.ContentInfo.Content, AsnEncodingRules.BER);
        var set = reader.ReadSetOf(skipSortOrderValidation: true);
        reader.ThrowIfNotEmpty();
        while (set.HasData && fields.Count <= MaxFields)
        {
            var field = set.ReadSequence();
            var type = field.ReadInteger();
            field.ReadInteger();
            var value = field.ReadOctetString();
            field.ThrowIfNotEmpty();
            AppAttestRefusal.Unless(type > BigInteger.Zero && type < short.MaxValue && fields.TryAdd((int)type, value), AppAttestFault.Receipt);
        }
        return fields;
    }
}
