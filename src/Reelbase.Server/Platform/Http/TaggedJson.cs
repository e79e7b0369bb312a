using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Net.Http.Headers;

namespace Reelbase.Server.Platform.Http;

/// <summary>Public JSON that a client may keep: a strong ETag over the bytes, and 304 while they are the same (RFC 9110, section 13.1.2).</summary>
public static class TaggedJson
{
    /// <summary>The value as JSON with its ETag, or 304.</summary>
    public static IResult Result<T>(HttpContext context, T value)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(value, Json.Options);
        var tag = new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(body))[..32]}\"");
        context.Response.Headers.ETag = tag.ToString();
        context.Response.Headers.CacheControl = "public, no-cache";
        var known = context.Request.GetTypedHeaders().IfNoneMatch;
        return known.Any(candidate => candidate.Equals(EntityTagHeaderValue.Any) || candidate.Compare(tag, useStrongComparison: false))
            ? Results.StatusCode(304)
            : Results.Bytes(body, "application/json");
    }
}
