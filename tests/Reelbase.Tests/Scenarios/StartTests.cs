using System.Diagnostics;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Scenarios;

/// <summary>What the program says when it cannot start, and that it then leaves nothing running.</summary>
public sealed class StartTests
{
    [Fact]
    public async Task In_production_an_empty_database_is_not_made_up() =>
        Assert.Contains("Database:ConnectionString is missing; in Production", await FailAsync("Production", []), StringComparison.Ordinal);

    [Fact]
    public async Task In_production_keys_are_not_made_up() =>
        Assert.Contains(
            "Security:SigningKeyFile",
            await FailAsync("Production", new() { ["Database:ConnectionString"] = await TestCluster.CloneAsync() }),
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("Fal:Concurrency", "0", "Fal:Concurrency must be between 1 and 1000")]
    [InlineData("Fal:QueueUrl", "nowhere", "Fal:QueueUrl is not a valid fully-qualified http, https, or ftp URL")]
    [InlineData("Work:LeaseSeconds", "soon", "Work:LeaseSeconds")]
    [InlineData("Database:ConnectionString", "mysql://x", "postgres://user:password@host:port/database")]
    [InlineData("Database:ConnectionString", "postgres://x:y@127.0.0.1:1/z", "Failed to connect to 127.0.0.1:1")]
    public async Task A_wrong_setting_is_named_in_one_line(string key, string value, string expected)
    {
        var settings = new Dictionary<string, string?> { ["Database:ConnectionString"] = await TestCluster.CloneAsync(), [key] = value };
        var said = await FailAsync("Development", settings);
        Assert.Contains(expected, said, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", said, StringComparison.Ordinal);
    }

    private static async Task<string> FailAsync(string environment, Dictionary<string, string?> settings)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Reelbase.Server.dll")])
        {
            RedirectStandardError = true,
            Environment =
            {
                ["ASPNETCORE_ENVIRONMENT"] = environment,
                ["ASPNETCORE_URLS"] = TestSystem.AnyPort,
                ["REELBASE__Server__DataDirectory"] = Path.Combine(TestCluster.Home, "start-" + Guid.NewGuid().ToString("N")[..8]),
            },
        };
        foreach (var (key, value) in settings)
        {
            start.Environment["REELBASE__" + key.Replace(":", "__", StringComparison.Ordinal)] = value;
        }
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var said = await process.StandardError.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        Assert.Equal(1, process.ExitCode);
        return said;
    }
}
