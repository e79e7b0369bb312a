using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;

namespace Reelbase.Server.Features.Admin;

/// <summary>
/// A sealed cookie that says which admin has signed in with this browser. It opens nothing: password, code or passkey are asked for all the same. It only has the
/// attempts of this browser counted apart from everybody else's, so that no flood at the sign-in keeps an admin out.
/// </summary>
public static class KnownBrowser
{
    private const string Name = "reelbase_known";
    private const int Days = 180;

    /// <summary>Remembers an admin who has just signed in.</summary>
    public static void Remember(HttpContext context, Guid admin)
    {
        context.Response.Cookies.Append(
            NameOf(context),
            Protector(context).Protect(admin.ToString(), TimeSpan.FromDays(Days)),
            new()
            {
                HttpOnly = true,
                SameSite = SameSiteMode.Strict,
                Secure = context.Request.IsHttps,
                Path = context.Request.PathBase.HasValue ? context.Request.PathBase : "/",
                MaxAge = TimeSpan.FromDays(Days),
            }
        );
    }

    /// <summary>Who has signed in with this browser; null for nobody, and for a cookie that we have not sealed.</summary>
    public static Guid? Read(HttpContext context)
    {
        if (context.Request.Cookies[NameOf(context)] is not { Length: > 0 } value)
        {
            return null;
        }
        try
        {
            return Guid.TryParse(Protector(context).Unprotect(value, out _), out var admin) ? admin : null;
        }
        catch (Exception error) when (error is CryptographicException or FormatException or ArgumentException)
        {
            return null;
        }
    }

    private static ITimeLimitedDataProtector Protector(HttpContext context) =>
        context.RequestServices.GetRequiredService<IDataProtectionProvider>().CreateProtector("Reelbase.Admin.KnownBrowser").ToTimeLimitedDataProtector();

    private static string NameOf(HttpContext context) => context.RequestServices.GetRequiredService<ConsoleCookies>().Name(Name, context.Request.IsHttps);
}
