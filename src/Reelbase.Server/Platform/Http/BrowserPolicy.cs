using Scalar.AspNetCore;

namespace Reelbase.Server.Platform.Http;

/// <summary>What a browser may do with an answer when somebody opens it as a page: nothing, but for the pages that are made for it.</summary>
public static class BrowserPolicy
{
    /// <summary>Answers and files are data: opened by themselves they run, load and submit nothing, and stand in no frame.</summary>
    private const string Nothing = "default-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox";

    /// <summary>Text says in which letters it is written, whichever part of the framework wrote it.</summary>
    public static void AddHeaders(HttpContext context)
    {
        if (context.Response.ContentType is { } type && type is "application/json" or "text/html" or "text/plain" or "text/javascript" or "text/css")
        {
            context.Response.ContentType = type + "; charset=utf-8";
        }
    }

    /// <summary>Gives an answer its policy, unless whoever made it has given one. The page to try the API runs the scripts that carry this answer's number, and asks only us.</summary>
    public static void Set(HttpContext context)
    {
        if (context.Response.Headers.ContentSecurityPolicy.Count == 0)
        {
            context.Response.Headers.ContentSecurityPolicy = context.Items[ScalarOptions.NonceHttpContextItemKey] is string nonce
                ? $"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
                    + "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
                : Nothing;
        }
    }
}
