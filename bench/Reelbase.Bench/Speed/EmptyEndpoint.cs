using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Reelbase.Bench.Speed;

/// <summary>The ceiling of anything over HTTP: a Kestrel whose one endpoint answers as many bytes as a status, and does nothing else.</summary>
public static class EmptyEndpoint
{
    /// <summary>What this program is started with to be that process.</summary>
    public const string Verb = "empty-endpoint";

    private const int Bytes = 450;

    public static Task<ChildServer> StartAsync() =>
        ChildServer.StartAsync(
            "dotnet",
            [typeof(EmptyEndpoint).Assembly.Location, Verb],
            new Dictionary<string, string> { ["DOTNET_gcServer"] = "1", ["ASPNETCORE_ENVIRONMENT"] = "Production" }
        );

    /// <summary>The process itself.</summary>
    public static async Task<int> ServeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var app = builder.Build();
        var body = new byte[Bytes];
        Array.Fill(body, (byte)' ');
        app.MapGet(
            "/",
            (HttpContext context) =>
            {
                context.Response.ContentType = "application/json";
                context.Response.ContentLength = body.Length;
                return context.Response.Body.WriteAsync(body).AsTask();
            }
        );
        await app.StartAsync();
        System.Console.WriteLine(new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()).Port);
        while (System.Console.ReadLine() is not null) { }
        await app.StopAsync();
        return 0;
    }
}
