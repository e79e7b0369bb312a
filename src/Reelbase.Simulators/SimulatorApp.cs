using System.Collections.Concurrent;
using Reelbase.Simulators.Apns;
using Reelbase.Simulators.Apple;
using Reelbase.Simulators.AppleId;
using Reelbase.Simulators.AppStore;
using Reelbase.Simulators.DeviceCheck;
using Reelbase.Simulators.Fal;
using Reelbase.Simulators.Runway;
using Reelbase.Simulators.SupabaseStorage;
using Reelbase.Simulators.Telegram;

namespace Reelbase.Simulators;

/// <summary>Pretend outside systems: fal.ai, Runway and Apple's services, in their real wire formats, as rude as asked for.</summary>
public static class SimulatorApp
{
    /// <summary>Builds the simulators.</summary>
    /// <param name="args">Host arguments; <c>--Fal:Seconds</c> sets how long a video takes.</param>
    public static WebApplication Build(string[] args)
    {
        string[] settings = ["--hostBuilder:reloadConfigOnChange=false", .. args];
        var builder = WebApplication.CreateBuilder(settings);
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Services.AddHttpClient();
        builder.Services.AddHttpClient(PictureReader.ClientName).ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { AllowAutoRedirect = false });
        builder.Services.AddSingleton<PictureReader>();
        builder.Services.AddSingleton<Outages>();
        builder.Services.AddSingleton<VideoMaker>();
        builder.Services.AddSingleton<VideoFiles>();
        builder.Services.AddSingleton<RunwayState>();
        builder.Services.AddSingleton<FalState>();
        builder.Services.AddSingleton<FalWebhooks>();
        builder.Services.AddSingleton<DeviceState>();
        builder.Services.AddSingleton<AppleApp>();
        builder.Services.AddSingleton(_ => AppleAuthority.Open(builder.Configuration["Apple:CertificatesDirectory"]));
        builder.Services.AddSingleton<AppStoreState>();
        builder.Services.AddSingleton<AppleIdState>();
        builder.Services.AddSingleton<ApnsState>();
        builder.Services.AddSingleton<TelegramState>();
        builder.Services.AddSingleton<SupabaseStorageState>();
        builder.Services.AddSingleton<Http2Splitter>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<Http2Splitter>());
        builder.WebHost.ConfigureKestrel(
            (_, kestrel) =>
                kestrel.ConfigureEndpointDefaults(listen =>
                    listen.Use(next => connection => listen.ApplicationServices.GetRequiredService<Http2Splitter>().SortAsync(connection, next))
                )
        );
        var app = builder.Build();
        app.UseMiddleware<OutageMiddleware>();
        app.MapFal();
        app.MapRunway();
        app.MapDeviceCheck();
        app.MapAppStore();
        app.MapAppleId();
        app.MapApns();
        app.MapTelegram();
        app.MapSupabaseStorage();
        app.MapPost(
            "/_control/outage",
            (Outage outage, Outages outages) =>
            {
                outages.Set(outage);
                return Results.Json(new { success = true });
            }
        );
        app.MapPost(
            "/_control/reset",
            (
                FalState fal,
                RunwayState runway,
                DeviceState devices,
                AppStoreState store,
                AppleIdState appleId,
                ApnsState apns,
                TelegramState telegram,
                SupabaseStorageState formerStorage,
                Outages outages
            ) =>
            {
                runway.Reset();
                fal.Reset();
                devices.Reset();
                store.Reset();
                appleId.Reset();
                apns.Reset();
                telegram.Reset();
                formerStorage.Reset();
                outages.Reset();
                return Results.Json(new { success = true });
            }
        );
        app.MapGet("/_control/health", () => Results.Json(new { status = "ok" }));
        return app;
    }
}

/// <summary>A system that misbehaves for a while.</summary>
/// <param name="System">fal, runway, devicecheck, appstore, apple-id or apns, or a longer beginning of the path, such as devicecheck/v1/update_two_bits.</param>
/// <param name="Seconds">For how long.</param>
/// <param name="Kind">a bare status such as 404 or 520, html (200 with a page for people), down (503), bad-gateway (502), gateway-timeout (504), unauthorized (401), balance (the account is empty), hang (no answer), drop (connection cut), slow (does its work, answers after the outage).</param>
public sealed record Outage(string System, double Seconds, string Kind);

/// <summary>The outages in force.</summary>
public sealed class Outages
{
    private readonly ConcurrentDictionary<string, (string Kind, DateTime Ends)> _running = new();

    public void Set(Outage outage) => _running[outage.System] = (outage.Kind, DateTime.UtcNow.AddSeconds(outage.Seconds));

    public void Reset() => _running.Clear();

    /// <summary>What is wrong with the system at a path now, and until when.</summary>
    public (string Kind, DateTime Ends)? Find(PathString path)
    {
        foreach (var (system, outage) in _running)
        {
            if (outage.Ends > DateTime.UtcNow && path.StartsWithSegments("/" + system))
            {
                return outage;
            }
        }
        return null;
    }

    /// <summary>Returns at the end of an outage, or when it is declared over before.</summary>
    public async Task WaitForEndAsync(PathString path, DateTime ends, CancellationToken cancellationToken)
    {
        while (DateTime.UtcNow < ends && Find(path) is not null && !cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(20, CancellationToken.None);
        }
    }
}

/// <summary>Carries outages out.</summary>
public sealed class OutageMiddleware(RequestDelegate next, Outages outages)
{
    public async Task InvokeAsync(HttpContext context)
    {
        switch (outages.Find(context.Request.Path))
        {
            case ("down", _):
                context.Response.StatusCode = 503;
                return;
            case ("bad-gateway", _):
                context.Response.StatusCode = 502;
                return;
            case ("gateway-timeout", _):
                context.Response.StatusCode = 504;
                return;
            case ("unauthorized", _):
                context.Response.StatusCode = 401;
                await (
                    context.Request.Path.StartsWithSegments("/devicecheck")
                        ? context.Response.WriteAsync("Unable to verify authorization token")
                        : context.Response.WriteAsJsonAsync(new { detail = "No user found for Key ID and Secret", error = "The API key was not accepted" })
                );
                return;
            case ("balance", _):
                var isRunway = context.Request.Path.StartsWithSegments("/runway");
                context.Response.StatusCode = isRunway ? 400 : 403;
                await context.Response.WriteAsJsonAsync(
                    isRunway
                        ? new Dictionary<string, string> { ["error"] = "You do not have enough credits to run this task." }
                        : new Dictionary<string, string> { ["detail"] = "User is locked. Reason: Exhausted balance." }
                );
                return;
            case ("html", _):
                await RudeReads.Page.ExecuteAsync(context);
                return;
            case (var kind, _) when int.TryParse(kind, System.Globalization.CultureInfo.InvariantCulture, out var status):
                context.Response.StatusCode = status;
                return;
            case ("drop", _):
                context.Abort();
                return;
            case ("hang", var ends):
                await outages.WaitForEndAsync(context.Request.Path, ends, context.RequestAborted);
                context.Abort();
                return;
            case ("slow", var ends):
                // The work is done at once and only the answer waits, which is the unkindest way to be slow.
                var body = context.Response.Body;
                using (var held = new MemoryStream())
                {
                    context.Response.Body = held;
                    await next(context);
                    context.Response.Body = body;
                    await outages.WaitForEndAsync(context.Request.Path, ends, CancellationToken.None);
                    await body.WriteAsync(held.ToArray());
                }
                return;
            default:
                await next(context);
                return;
        }
    }
}
