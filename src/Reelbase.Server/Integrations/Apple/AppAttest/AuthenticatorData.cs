using System.Buffers.Binary;
using System.Formats.Cbor;

namespace Reelbase.Server.Integrations.Apple.AppAttest;

/// <summary>
/// What the phone's authenticator says: rpIdHash 32, flags 1, counter 4 (big-endian); in an attestation aaguid 16, length of the credential id 2, the id, the
/// key (COSE); then, from iOS 27 on, a map of extensions. The flags are not consulted: real phones set "attested data" in assertions that have none, and Apple's own sample has extensions without their flag.
/// </summary>
internal sealed record AuthenticatorData(byte[] AppIdHash, uint Counter, byte[]? Aaguid, byte[]? CredentialId, byte[]? PublicPoint, int? Category)
{
    private const int HashLength = 32;
    private const int HeaderLength = HashLength + 1 + sizeof(uint);
    private const int AaguidLength = 16;
    private const int CoordinateLength = 32;
    private const int CategoryLength = 4;
    private const string CategoryExtension = "apple_validation_category_01";

    /// <summary>Reads the data of an attestation or, without a credential, of an assertion.</summary>
    public static AuthenticatorData Read(ReadOnlyMemory<byte> bytes, bool isAttested)
    {
        AppAttestRefusal.Unless(bytes.Length >= HeaderLength, AppAttestFault.AuthenticatorData);
        var appIdHash = bytes[..HashLength].ToArray();
        var counter = BinaryPrimitives.ReadUInt32BigEndian(bytes.Span[(HashLength + 1)..]);
        var rest = bytes[HeaderLength..];
        byte[]? aaguid = null;
        byte[]? credentialId = null;
        byte[]? point = null;
        if (isAttested)
        {
            AppAttestRefusal.Unless(rest.Length >= AaguidLength + sizeof(ushort), AppAttestFault.AuthenticatorData);
            aaguid = rest[..AaguidLength].ToArray();
            int length = BinaryPrimitives.ReadUInt16BigEndian(rest.Span[AaguidLength..]);
            rest = rest[(AaguidLength + sizeof(ushort))..];
            AppAttestRefusal.Unless(rest.Length >= length, AppAttestFault.AuthenticatorData);
            credentialId = rest[..length].ToArray();
            rest = rest[length..];
        }
        try
        {
            var reader = new CborReader(rest, CborConformanceMode.Strict, allowMultipleRootLevelValues: true);
            if (isAttested)
            {
                point = ReadKey(reader);
            }
            var category = reader.BytesRemaining > 0 ? ReadExtensions(reader) : null;
            AppAttestRefusal.Unless(reader.BytesRemaining == 0, AppAttestFault.AuthenticatorData);
            return new(appIdHash, counter, aaguid, credentialId, point, category);
        }
        catch (Exception error) when (error is CborContentException or InvalidOperationException or OverflowException)
        {
            throw new AppAttestRefusal(AppAttestFault.AuthenticatorData);
        }
    }

    /// <summary>An ES256 key of P-256 as X9.62 writes it: 04, x, y.</summary>
    private static byte[] ReadKey(CborReader reader)
    {
        var (kind, algorithm, curve) = (0L, 0L, 0L);
        byte[]? x = null;
        byte[]? y = null;
        reader.ReadStartMap();
        while (reader.PeekState() != CborReaderState.EndMap)
        {
            switch (reader.ReadInt64())
            {
                case 1:
                    kind = reader.ReadInt64();
                    break;
                case 3:
                    algorithm = reader.ReadInt64();
                    break;
                case -1:
                    curve = reader.ReadInt64();
                    break;
                case -2:
                    x = reader.ReadByteString();
                    break;
                case -3:
                    y = reader.ReadByteString();
                    break;
                default:
                    CborBounds.Skip(reader);
                    break;
            }
        }
        reader.ReadEndMap();
        AppAttestRefusal.Unless(
            (kind, algorithm, curve) == (2, -7, 1) && x is { Length: CoordinateLength } && y is { Length: CoordinateLength },
            AppAttestFault.CredentialKey
        );
        return [4, .. x!, .. y!];
    }

    private static int? ReadExtensions(CborReader reader)
    {
        int? category = null;
        reader.ReadStartMap();
        while (reader.PeekState() != CborReaderState.EndMap)
        {
            if (reader.ReadTextString() == CategoryExtension)
            {
                // Four bytes, little-endian.
                var value = reader.ReadByteString();
                AppAttestRefusal.Unless(value.Length == CategoryLength, AppAttestFault.AuthenticatorData);
                category = BinaryPrimitives.ReadInt32LittleEndian(value);
            }
            else
            {
                CborBounds.Skip(reader);
            }
        }
        reader.ReadEndMap();
        return category;
    }
}
