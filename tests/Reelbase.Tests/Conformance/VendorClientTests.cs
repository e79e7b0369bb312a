using System.Diagnostics;
using Reelbase.Simulators;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Conformance;

/// <summary>The vendors' own JavaScript clients against the simulators: what satisfies them is spoken as the vendors speak.</summary>
[Trait("Needs", "node")]
public sealed class VendorClientTests : IAsyncLifetime
{
    private static readonly string Folder = Path.Combine(Repository.Root, "tests", "vendor-clients");
    private static readonly SemaphoreSlim Installing = new(1, 1);
    private readonly string _simulators = TestSystem.FreeUrl();
    private Microsoft.AspNetCore.Builder.WebApplication _app = null!;

    public async ValueTask InitializeAsync()
    {
        _app = SimulatorApp.Build(["--urls", _simulators, "--Fal:Seconds", "0.5", "--Videos:Recorded", "true"]);
        await _app.StartAsync();
        await Installing.WaitAsync();
        try
        {
            if (!Directory.Exists(Path.Combine(Folder, "node_modules")))
            {
                await RunAsync("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts");
            }
        }
        finally
        {
            Installing.Release();
        }
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    [Theory]
    [InlineData("fal.test.mjs", 8)]
    [InlineData("runway.test.mjs", 9)]
    public async Task The_vendors_client_is_satisfied(string file, int tests)
    {
        var output = await RunAsync("node", "--test", "--test-reporter=tap", file);
        Assert.Contains($"# pass {tests}\n", output, StringComparison.Ordinal);
    }

    private async Task<string> RunAsync(string program, params string[] args)
    {
        using var process = Process.Start(
            new ProcessStartInfo(program, args)
            {
                WorkingDirectory = Folder,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                Environment = { ["SIMULATORS_URL"] = _simulators },
            }
        )!;
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var errors = process.StandardError.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        var text = await output + await errors;
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', args)} ended with {process.ExitCode}:\n{text}");
        return text;
    }
}
