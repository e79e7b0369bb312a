using System.Formats.Cbor;

namespace Reelbase.Server.Integrations.Apple.AppAttest;

/// <summary>The outermost CBOR of an attestation.</summary>
internal sealed record AttestationObject(IReadOnlyList<byte[]> Certificates, byte[]? Receipt, byte[] AuthenticatorData)
{
    private const string AppleFormat = "apple-appattest";
    private const int MaxCertificates = 8;

    public static AttestationObject Read(ReadOnlyMemory<byte> bytes)
    {
        // What Apple writes is canonical, so that there is one encoding only: no doubled keys, nothing indefinite, no tags.
        var reader = new CborReader(bytes, CborConformanceMode.Ctap2Canonical);
        (List<byte[]> Certificates, byte[]? Receipt)? statement = null;
        byte[]? authenticatorData = null;
        string? format = null;
        reader.ReadStartMap();
        while (reader.PeekState() != CborReaderState.EndMap)
        {
            switch (reader.ReadTextString())
            {
                case "fmt":
                    format = reader.ReadTextString();
                    break;
                case "attStmt":
                    statement = ReadStatement(reader);
                    break;
                case "authData":
                    authenticatorData = reader.ReadByteString();
                    break;
                default:
                    CborBounds.Skip(reader);
                    break;
            }
        }
        reader.ReadEndMap();
        AppAttestRefusal.Unless(
            reader.BytesRemaining == 0 && format is not null && statement is not null && authenticatorData is not null,
            AppAttestFault.Malformed
        );
        AppAttestRefusal.Unless(format == AppleFormat, AppAttestFault.Format);
        return new(statement!.Value.Certificates, statement.Value.Receipt, authenticatorData!);
    }

    private static (List<byte[]> Certificates, byte[]? Receipt) ReadStatement(CborReader reader)
    {
        var certificates = new List<byte[]>();
        byte[]? receipt = null;
        reader.ReadStartMap();
        while (reader.PeekState() != CborReaderState.EndMap)
        {
            switch (reader.ReadTextString())
            {
                case "x5c":
                    reader.ReadStartArray();
                    while (reader.PeekState() != CborReaderState.EndArray)
                    {
                        AppAttestRefusal.Unless(certificates.Count < MaxCertificates, AppAttestFault.ChainLength);
                        certificates.Add(reader.ReadByteString());
                    }
                    reader.ReadEndArray();
                    break;
                case "receipt":
                    receipt = reader.ReadByteString();
                    break;
                default:
                    CborBounds.Skip(reader);
                    break;
            }
        }
        reader.ReadEndMap();
        return (certificates, receipt);
    }
}

/// <summary>The CBOR of an assertion.</summary>
internal sealed record AssertionObject(byte[] Signature, byte[] AuthenticatorData)
{
    public static AssertionObject Read(ReadOnlyMemory<byte> bytes)
    {
        var reader = new CborReader(bytes, CborConformanceMode.Ctap2Canonical);
        byte[]? signature = null;
        byte[]? authenticatorData = null;
        reader.ReadStartMap();
        while (reader.PeekState() != CborReaderState.EndMap)
        {
            switch (reader.ReadTextString())
            {
                case "signature":
                    signature = reader.ReadByteString();
                    break;
                case "authenticatorData":
                    authenticatorData = reader.ReadByteString();
                    break;
                default:
                    CborBounds.Skip(reader);
                    break;
            }
        }
        reader.ReadEndMap();
        AppAttestRefusal.Unless(reader.BytesRemaining == 0 && signature is not null && authenticatorData is not null, AppAttestFault.Malformed);
        return new(signature!, authenticatorData!);
    }
}

/// <summary>How deep CBOR may be that we do not know.</summary>
internal static class CborBounds
{
    /// <summary>Apple's objects have three levels.</summary>
    private const int MaxDepth = 8;

    /// <summary>Passes over a value of a later version.</summary>
    public static void Skip(CborReader reader)
    {
        var depth = reader.CurrentDepth;
        do
        {
            switch (reader.PeekState())
            {
                case CborReaderState.StartMap:
                    reader.ReadStartMap();
                    break;
                case CborReaderState.EndMap:
                    reader.ReadEndMap();
                    break;
                case CborReaderState.StartArray:
                    reader.ReadStartArray();
                    break;
                case CborReaderState.EndArray:
                    reader.ReadEndArray();
                    break;
                default:
                    reader.SkipValue();
                    break;
            }
            AppAttestRefusal.Unless(reader.CurrentDepth <= MaxDepth, AppAttestFault.Malformed);
        } while (reader.CurrentDepth > depth);
    }
}
