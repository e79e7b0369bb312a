using Microsoft.AspNetCore.Http.Metadata;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Platform.Http;

/// <summary>Knows the caller before any body is read: a stranger's megabyte is refused by its headers alone.</summary>
public static class CallerFirst
{
    /// <summary>Middleware, behind routing: an operation that needs a user and takes a body is refused here when the request has no good token.</summary>
    /// <exception cref="ApiException">ERR_4005.</exception>
    public static Task RequireAsync(HttpContext context, RequestDelegate next)
    {
        var metadata = context.GetEndpoint()?.Metadata;
        var isRequired =
            metadata?.GetMetadata<RequiresUserMetadata>() is not null
            && metadata.GetMetadata<IAcceptsMetadata>() is not null
            && metadata.GetMetadata<ResolvesCallerFirstMetadata>() is null;
        return isRequired ? CheckAsync(context, next) : next(context);
    }

    private static async Task CheckAsync(HttpContext context, RequestDelegate next)
    {
        var caller = await context.RequestServices.GetRequiredService<CallerResolver>().ReadAsync(context);
        // Under the switch for shipped builds the anon key is the token, and the body names the user.
        var isEnough = caller?.UserId is not null || (caller is not null && context.RequestServices.GetRequiredService<CallerResolver>().AcceptsShippedBuilds);
        if (!isEnough)
        {
            throw CallerResolver.NoUser(context);
        }
        await next(context);
    }
}
