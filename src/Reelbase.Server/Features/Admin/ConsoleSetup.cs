using System.Reflection;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using MudBlazor.Services;
using Reelbase.Server.Features.Admin.Console;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Admin;

/// <summary>Puts the console together: Blazor pages behind a cookie of their own, with strict headers, on an address of its own where one is set.</summary>
public static class ConsoleSetup
{
    internal const string Scheme = "console";
    private const string Program = "Reelbase.Server";

    /// <summary>What only the console serves.</summary>
    private static readonly string[] Paths = ["/admin", "/_blazor", "/_framework", "/_content"];

    /// <summary>Adds the services.</summary>
    public static void Add(IServiceCollection services, AdminOptions options, ConsoleCookies cookies)
    {
        services.AddSingleton(cookies);
        services.AddSingleton<AdminApi>();
        // Tests bring one that hashes less: a sign-in costs a core a fifth of a second.
        services.TryAddSingleton(new AdminPasswords());
        services.AddSingleton<AdminCredentials>();
        services.AddSingleton<AdminSignIn>();
        services.AddSingleton<AdminPasskeys>();
        services.AddScoped<ConsoleSession>();
        services.AddRazorComponents().AddInteractiveServerComponents(circuits => circuits.DisconnectedCircuitMaxRetained = 50);
        services.AddMudServices();
        services.AddLocalization();
        services.AddCascadingAuthenticationState();
        services.AddAuthorization();
        services
            .AddAuthentication(Scheme)
            .AddCookie(
                Scheme,
                cookie =>
                {
                    cookie.Cookie.Name = cookies.Name(ConsoleCookies.Session);
                    cookie.Cookie.HttpOnly = true;
                    cookie.Cookie.SameSite = SameSiteMode.Strict;
                    // No path of ours: the framework takes the sub-path of the request, or the root.
                    cookie.Cookie.SecurePolicy = cookies.IsSecure ? CookieSecurePolicy.Always : CookieSecurePolicy.SameAsRequest;
                    cookie.ExpireTimeSpan = TimeSpan.FromMinutes(options.SessionMinutes);
                    cookie.SlidingExpiration = false;
                    cookie.LoginPath = ConsoleSignIn.SignInRoute;
                    cookie.AccessDeniedPath = ConsoleSignIn.SignInRoute;
                    cookie.Events.OnValidatePrincipal = ValidateAsync;
                }
            );
        services.AddAntiforgery(form =>
        {
            form.Cookie.Name = cookies.Name("reelbase_form");
            form.Cookie.SameSite = SameSiteMode.Strict;
            form.Cookie.SecurePolicy = cookies.IsSecure ? CookieSecurePolicy.Always : CookieSecurePolicy.SameAsRequest;
        });
        ConsoleKeyRing.Add(services);
    }

    /// <summary>Refuses a plain address of its own in Production, unless the operator says that it is meant.</summary>
    /// <exception cref="OptionsValidationException">It is plain and nobody allowed it.</exception>
    public static void Check(AdminOptions options, bool isProduction)
    {
        if (isProduction && !options.AllowInsecure && options.ListenUrl?.StartsWith("http://", StringComparison.OrdinalIgnoreCase) == true)
        {
            throw new OptionsValidationException(
                "Admin",
                typeof(AdminOptions),
                ["Admin:ListenUrl must be https in Production; set Admin:AllowInsecure to true for a plain address that is reached through a tunnel only"]
            );
        }
    }

    /// <summary>Adds the address of its own, and the files that pages need.</summary>
    public static void Listen(WebApplicationBuilder builder, AdminOptions options)
    {
        // A build that was not published finds the files of packages by a list beside the program; outside Development nobody looks for it by itself.
        var files = Path.Combine(AppContext.BaseDirectory, Program + ".staticwebassets.runtime.json");
        if (File.Exists(files))
        {
            builder.Configuration[WebHostDefaults.StaticWebAssetsKey] = files;
            builder.WebHost.UseStaticWebAssets();
        }
        if (options.ListenUrl is { Length: > 0 } own)
        {
            var others = builder.Configuration["urls"] ?? "http://localhost:5000";
            builder.WebHost.UseUrls($"{others};{own}");
        }
    }

    /// <summary>What stands before the console's pages and the admin API.</summary>
    public static void Use(WebApplication app, AdminOptions options)
    {
        var isSecure = app.Services.GetRequiredService<ConsoleCookies>().IsSecure;
        var known = app.Services.GetRequiredService<KnownPaths>();
        var port = options.ListenUrl is { Length: > 0 } own ? new Uri(own).Port : (int?)null;
        app.Use(
            async (context, next) =>
            {
                var path = context.Request.Path;
                var isConsole = Paths.Any(start => path.StartsWithSegments(start));
                if (port is { } only && context.Connection.LocalPort != only && (isConsole || IsAdminApi(path)))
                {
                    // Here there is no such thing.
                    throw new ApiException(ErrorCodes.MalformedRequest, new { reason = "unknown_route" }, status: 404);
                }
                if (path.StartsWithSegments("/_blazor") && !IsFromHere(context.Request))
                {
                    throw new ApiException(ErrorCodes.Forbidden, new { reason = "foreign_origin" });
                }
                if (isConsole)
                {
                    context.Response.OnStarting(() => SetPolicy(context));
                }
                if (path.StartsWithSegments("/admin"))
                {
                    if (isSecure && !context.Request.IsHttps)
                    {
                        // Browsers would throw its cookies away, and the password would have been read by everybody on the way.
                        throw new ApiException(ErrorCodes.Forbidden, new { reason = "https_required" });
                    }
                    if (context.Request.Headers.Authorization.Count > 0)
                    {
                        throw new ApiException(ErrorCodes.Forbidden, new { reason = "token_not_accepted" });
                    }
                    context.Response.OnStarting(() => SetHeaders(context));
                    if (known.Takes(context.Request))
                    {
                        await ConsoleForms.ReadAsync(context);
                    }
                    else if (!HttpMethods.IsGet(context.Request.Method) && known.StatusOf(context.Request, 405) == 404)
                    {
                        // There is a page that says so to whoever reads; a path that there is and takes another method is refused behind this.
                        throw new ApiException(ErrorCodes.MalformedRequest, new { reason = "unknown_route" }, status: 404);
                    }
                }
                await next(context);
            }
        );
        // Named here, because the framework would put them before everything above by itself.
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseAntiforgery();
    }

    /// <summary>Serves the pages.</summary>
    /// <param name="routes">Where to.</param>
    /// <param name="pagesFrom">Assemblies beside this program that have pages too.</param>
    public static void Map(IEndpointRouteBuilder routes, IReadOnlyList<Assembly> pagesFrom)
    {
        var manifest = Path.Combine(AppContext.BaseDirectory, Program + ".staticwebassets.endpoints.json");
        if (File.Exists(manifest))
        {
            routes.MapStaticAssets(manifest).ExcludeFromDescription();
        }
        routes.MapConsoleSignIn();
        routes.MapRazorComponents<App>().AddInteractiveServerRenderMode().AddAdditionalAssemblies([.. pagesFrom]).RequireAuthorization();
    }

    /// <summary>
    /// A page of somebody else can open a connection here with the admin's cookie, since sockets know no same-origin policy; but its browser says where it is
    /// from. Browsers always do so for sockets. A proxy may end TLS before us, so https is also ours.
    /// </summary>
    private static bool IsFromHere(HttpRequest request)
    {
        var origin = request.Headers.Origin.ToString();
        if (origin.Length == 0)
        {
            return !request.Headers.Upgrade.ToString().Contains("websocket", StringComparison.OrdinalIgnoreCase) && request.Method != HttpMethods.Connect;
        }
        return Uri.TryCreate(origin, UriKind.Absolute, out var from)
            && (from.Scheme == Uri.UriSchemeHttps || (from.Scheme == Uri.UriSchemeHttp && !request.IsHttps))
            && Uri.TryCreate($"{from.Scheme}://{request.Host}", UriKind.Absolute, out var here)
            && string.Equals(from.Authority, here.Authority, StringComparison.OrdinalIgnoreCase);
    }

    private static bool IsAdminApi(PathString path) =>
        path.Value!.StartsWith("/admin-", StringComparison.OrdinalIgnoreCase)
        || path.Value.StartsWith("/functions/v1/admin-", StringComparison.OrdinalIgnoreCase);

    /// <summary>Scripts from here only; styles also inline, because MudBlazor writes its theme into the page; no frames, no other origin.</summary>
    private static Task SetPolicy(HttpContext context)
    {
        context.Response.Headers.ContentSecurityPolicy =
            "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data: https: http:; "
            + "media-src 'self' https: http:; connect-src 'self'; object-src 'none'; form-action 'self'; base-uri 'self'; frame-ancestors 'none'";
        return Task.CompletedTask;
    }

    private static Task SetHeaders(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers["Cross-Origin-Opener-Policy"] = "same-origin";
        context.Response.Headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()";
        return Task.CompletedTask;
    }

    /// <summary>A cookie is only as good as its session in the database.</summary>
    private static async Task ValidateAsync(CookieValidatePrincipalContext cookie)
    {
        try
        {
            var services = cookie.HttpContext.RequestServices;
            await ConsoleSession.CheckAsync(
                services.GetRequiredService<ApiDatabase>(),
                services.GetRequiredService<IOptions<AdminOptions>>().Value,
                cookie.Principal!,
                isAction: false
            );
        }
        catch (ApiException error) when (error.Code is ErrorCodes.Unauthorized or ErrorCodes.Forbidden)
        {
            cookie.RejectPrincipal();
            await cookie.HttpContext.SignOutAsync(Scheme);
        }
    }
}
