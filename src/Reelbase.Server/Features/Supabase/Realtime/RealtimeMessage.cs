using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Reelbase.Server.Features.Supabase.Realtime;

/// <summary>One message of the Phoenix channel protocol.</summary>
/// <param name="JoinRef">The join that it belongs to, as JSON; it is echoed unchanged.</param>
/// <param name="Ref">Its own number, as JSON; it is echoed unchanged.</param>
/// <param name="Topic">The channel.</param>
/// <param name="Event">What it is.</param>
/// <param name="Payload">An object; undefined in a message that had none.</param>
internal sealed record RealtimeMessage(string? JoinRef, string? Ref, string Topic, string Event, JsonElement Payload)
{
    public const int MaxTopicLength = 256;

    /// <summary>A broadcast in the binary form of version 2.</summary>
    private const byte Broadcast = 3;
    private const int MaxDepth = 16;
    private const int MaxRefLength = 64;

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = MaxDepth, AllowDuplicateProperties = false };
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>Reads a text message: an array in version 2, an object in version 1.</summary>
    /// <exception cref="JsonException">It is no such message.</exception>
    public static RealtimeMessage Read(ReadOnlyMemory<byte> bytes, bool isVersion2)
    {
        using var document = JsonDocument.Parse(bytes, Strict);
        var root = document.RootElement;
        try
        {
            return isVersion2
                ? root.GetArrayLength() == 5
                    ? new(ReadRef(root[0]), ReadRef(root[1]), ReadText(root[2]), ReadText(root[3]), ReadPayload(root[4]))
                    : throw new JsonException()
                : new(
                    root.TryGetProperty("join_ref", out var join) ? ReadRef(join) : null,
                    root.TryGetProperty("ref", out var number) ? ReadRef(number) : null,
                    ReadText(root.GetProperty("topic")),
                    ReadText(root.GetProperty("event")),
                    root.TryGetProperty("payload", out var payload) ? ReadPayload(payload) : default
                );
        }
        catch (Exception error) when (error is InvalidOperationException or KeyNotFoundException)
        {
            throw new JsonException("no message", error);
        }
    }

    /// <summary>Reads a binary message of version 2, which can only be a broadcast; what it carries is left out.</summary>
    /// <exception cref="JsonException">It is no such message.</exception>
    public static RealtimeMessage ReadBinary(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 7 || bytes[0] != Broadcast || bytes.Length < 7 + bytes[1] + bytes[2] + bytes[3] + bytes[4] + bytes[5])
        {
            throw new JsonException();
        }
        var at = 7;
        var join = Next(bytes, bytes[1], ref at);
        var number = Next(bytes, bytes[2], ref at);
        var topic = Next(bytes, bytes[3], ref at);
        return new(Quote(join), Quote(number), topic, "broadcast", default);

        static string Next(ReadOnlySpan<byte> bytes, int length, ref int at)
        {
            var text = Encoding.UTF8.GetString(bytes.Slice(at, length));
            at += length;
            return text;
        }

        static string? Quote(string text) => text.Length == 0 ? null : JsonSerializer.Serialize(text);
    }

    /// <summary>Writes a message.</summary>
    public static byte[] Write(bool isVersion2, string? joinRef, string? number, string topic, string name, Action<Utf8JsonWriter>? payload = null)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer, Writing))
        {
            if (isVersion2)
            {
                json.WriteStartArray();
                json.WriteRawValue(joinRef ?? "null");
                json.WriteRawValue(number ?? "null");
                json.WriteStringValue(topic);
                json.WriteStringValue(name);
            }
            else
            {
                json.WriteStartObject();
                json.WriteString("topic", topic);
                json.WriteString("event", name);
                json.WritePropertyName("ref");
                json.WriteRawValue(number ?? "null");
                json.WritePropertyName("join_ref");
                json.WriteRawValue(joinRef ?? "null");
                json.WritePropertyName("payload");
            }
            json.WriteStartObject();
            payload?.Invoke(json);
            json.WriteEndObject();
            if (isVersion2)
            {
                json.WriteEndArray();
            }
            else
            {
                json.WriteEndObject();
            }
        }
        return buffer.WrittenSpan.ToArray();
    }

    private static string ReadText(JsonElement element) => element.GetString() ?? throw new JsonException();

    private static string? ReadRef(JsonElement element) =>
        element.ValueKind switch
        {
            JsonValueKind.Null => null,
            JsonValueKind.String or JsonValueKind.Number when element.GetRawText() is { Length: <= MaxRefLength } raw => raw,
            _ => throw new JsonException(),
        };

    private static JsonElement ReadPayload(JsonElement element) =>
        element.ValueKind switch
        {
            JsonValueKind.Object => element.Clone(),
            JsonValueKind.Null => default,
            _ => throw new JsonException(),
        };
}
