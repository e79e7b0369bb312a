using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Reelbase.Simulators.AppAttest;

/// <summary>Writes a certificate by hand, since .NET's own maker refuses the odd ones (an extension twice) that a verifier has to refuse.</summary>
internal static class LeafCertificate
{
    private const string EcdsaWithSha256 = "1.2.840.10045.4.3.2";

    public static byte[] Write(
        X500DistinguishedName subject,
        AsymmetricAlgorithm key,
        X500DistinguishedName issuer,
        ECDsa signer,
        DateTimeOffset from,
        DateTimeOffset to,
        IEnumerable<X509Extension> extensions
    )
    {
        var body = new AsnWriter(AsnEncodingRules.DER);
        using (body.PushSequence())
        {
            using (body.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
            {
                body.WriteInteger(2);
            }
            body.WriteIntegerUnsigned(AppAttestAuthority.Serial());
            WriteAlgorithm(body);
            body.WriteEncodedValue(issuer.RawData);
            using (body.PushSequence())
            {
                body.WriteUtcTime(from);
                body.WriteUtcTime(to);
            }
            body.WriteEncodedValue(subject.RawData);
            body.WriteEncodedValue(key is ECDsa ec ? ec.ExportSubjectPublicKeyInfo() : ((RSA)key).ExportSubjectPublicKeyInfo());
            using (body.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 3)))
            using (body.PushSequence())
            {
                foreach (var extension in extensions)
                {
                    using (body.PushSequence())
                    {
                        body.WriteObjectIdentifier(extension.Oid!.Value!);
                        if (extension.Critical)
                        {
                            body.WriteBoolean(true);
                        }
                        body.WriteOctetString(extension.RawData);
                    }
                }
            }
        }
        var signed = body.Encode();
        var whole = new AsnWriter(AsnEncodingRules.DER);
        using (whole.PushSequence())
        {
            whole.WriteEncodedValue(signed);
            WriteAlgorithm(whole);
            whole.WriteBitString(signer.SignData(signed, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
        }
        return whole.Encode();
    }

    private static void WriteAlgorithm(AsnWriter writer)
    {
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(EcdsaWithSha256);
        }
    }
}
