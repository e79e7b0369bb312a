using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Reelbase.Server.Platform.Http;

/// <summary>How JSON is read and written everywhere: snake_case, strict, and times that every shipped client can parse.</summary>
public static class Json
{
    /// <summary>Longer than the time that it writes, by its quotes.</summary>
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    /// <summary>The one set of options.</summary>
    public static JsonSerializerOptions Options { get; } = Configure(new JsonSerializerOptions());

    /// <summary>The same for what others send, with fewer levels: an answer holds what was sent with levels of its own around it, and must not fail for that.</summary>
    public static JsonSerializerOptions Requests { get; } = new(Options) { MaxDepth = 16 };

    /// <summary>Applies the rules to <paramref name="options"/>.</summary>
    public static JsonSerializerOptions Configure(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
        options.DictionaryKeyPolicy = null;
        options.PropertyNameCaseInsensitive = false;
        options.NumberHandling = JsonNumberHandling.Strict;
        options.AllowDuplicateProperties = false;
        options.MaxDepth = 64;
        // Answers are never embedded in HTML, and people read Turkish and Spanish better than escapes.
        options.Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
        options.Converters.Add(new TimeConverter());
        options.Converters.Add(new TextConverter());
        return options;
    }

    /// <summary>An answer of known length: whole in one write, where the framework's own would send it in chunks.</summary>
    public static IResult Result<T>(T value, int status = StatusCodes.Status200OK) =>
        new WholeResponse(JsonSerializer.SerializeToUtf8Bytes(value, Options), status);

    /// <summary>UTC with exactly three fraction digits and Z. The shipped app parses two times with one formatter, so the form may never vary.</summary>
    public static string Time(DateTime value) => value.ToUniversalTime().ToString(TimeFormat, CultureInfo.InvariantCulture);

    private sealed class TimeConverter : JsonConverter<DateTime>
    {
        public override DateTime Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDateTime().ToUniversalTime();

        public override void Write(Utf8JsonWriter writer, DateTime value, JsonSerializerOptions options)
        {
            Span<byte> time = stackalloc byte[TimeFormat.Length];
            value.ToUniversalTime().TryFormat(time, out var length, TimeFormat, CultureInfo.InvariantCulture);
            writer.WriteStringValue(time[..length]);
        }
    }

    /// <summary>Refuses text that PostgreSQL cannot hold (NUL) or that is no text at all (half of a surrogate pair).</summary>
    private sealed class TextConverter : JsonConverter<string>
    {
        public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.PropertyName))
            {
                throw new JsonException();
            }
            try
            {
                return NullIfUnstorable(reader.GetString()!) is { } text ? text : throw new JsonException();
            }
            catch (InvalidOperationException error)
            {
                throw new JsonException("text is not valid Unicode", error);
            }
        }

        public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteStringValue(value);

        public override string ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            Read(ref reader, typeToConvert, options)!;

        public override void WriteAsPropertyName(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WritePropertyName(value);
    }

    /// <summary>The text when it can be stored, else null.</summary>
    public static string? NullIfUnstorable(string text)
    {
        for (var index = 0; index < text.Length; index++)
        {
            if (char.IsHighSurrogate(text[index]) && index + 1 < text.Length && char.IsLowSurrogate(text[index + 1]))
            {
                index++;
            }
            else if (text[index] == '\0' || char.IsSurrogate(text[index]))
            {
                return null;
            }
        }
        return text;
    }

    private sealed class WholeResponse(byte[] body, int status) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.StatusCode = status;
            httpContext.Response.ContentType = "application/json; charset=utf-8";
            httpContext.Response.ContentLength = body.Length;
            return httpContext.Response.Body.WriteAsync(body, httpContext.RequestAborted).AsTask();
        }
    }
}
