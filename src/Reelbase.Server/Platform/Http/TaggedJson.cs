using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Net.Http.Headers;

namespace Reelbase.Server.Platform.Http;

/// <summary>Public JSON that a client may keep: a strong ETag over the bytes, and 304 while they are the same (RFC 9110, section 13.1.2).</summary>
public static class TaggedJson
{
    /// <summary>The value as JSON with its ETag, or 304.</summary>
    public static IResult Result<T>(HttpContext context, T value) => Result(context, TaggedBody.Of(value));

    /// <summary>What was written before, with its ETag, or 304.</summary>
    public static IResult Result(HttpContext context, TaggedBody written)
    {
        context.Response.Headers.ETag = written.Tag.ToString();
        context.Response.Headers.CacheControl = "public, no-cache";
        var known = context.Request.GetTypedHeaders().IfNoneMatch;
        return known.Any(candidate => candidate.Equals(EntityTagHeaderValue.Any) || candidate.Compare(written.Tag, useStrongComparison: false))
            ? Results.StatusCode(304)
            : Results.Bytes(written.Body, "application/json");
    }
}

/// <summary>JSON with its ETag, which can be answered often.</summary>
public sealed record TaggedBody(byte[] Body, EntityTagHeaderValue Tag)
{
    /// <summary>A value as JSON.</summary>
    public static TaggedBody Of<T>(T value)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(value, Json.Options);
        return new(body, new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(body))[..32]}\""));
    }
}
