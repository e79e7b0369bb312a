using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Reelbase.Bench.Flood;

/// <summary>The ceiling: a Kestrel that refuses everything with 429 and does nothing else, in a process of its own. What the same flood at it does to the signed-in users of the server is the machine's doing.</summary>
public sealed class BareRefusals : IDisposable
{
    /// <summary>What this program is started with to be that process.</summary>
    public const string Verb = "flood-bare";

    private readonly Process _process;

    private BareRefusals(Process process, int port) => (_process, Port) = (process, port);

    public int Port { get; }

    public static async Task<BareRefusals> StartAsync()
    {
        var start = new ProcessStartInfo("dotnet", [typeof(BareRefusals).Assembly.Location, Verb])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            Environment = { ["DOTNET_gcServer"] = "1" },
        };
        var process = Process.Start(start)!;
        var port = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("the bare server did not start");
        return new(process, int.Parse(port, CultureInfo.InvariantCulture));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // It ends with its input.
        _process.StandardInput.Close();
        if (!_process.WaitForExit(TimeSpan.FromSeconds(20)))
        {
            _process.Kill();
        }
        _process.Dispose();
    }

    /// <summary>The process itself.</summary>
    public static async Task<int> ServeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var app = builder.Build();
        // As long as a refusal of the server.
        var body = new byte[330];
        Array.Fill(body, (byte)' ');
        app.Run(context =>
        {
            context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
            context.Response.ContentLength = body.Length;
            return context.Response.Body.WriteAsync(body).AsTask();
        });
        await app.StartAsync();
        System.Console.WriteLine(new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()).Port);
        System.Console.ReadLine();
        await app.StopAsync();
        return 0;
    }
}
