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

    [Theory]
    [InlineData("Server:PublicUrll", "https://a.example", "Server:PublicUrll is no setting; did you mean Server:PublicUrl?")]
    [InlineData("Sever:PublicUrl", "https://a.example", "Sever:PublicUrl is no setting; did you mean Server:PublicUrl?")]
    [InlineData("Nothing:AtAll", "1", "Nothing:AtAll is no setting; docs/configuration.md lists them")]
    [InlineData("Work:LeaseSeconds:0", "5", "Work:LeaseSeconds:0 is no setting; Work:LeaseSeconds takes one value")]
    [InlineData("Server:Roles:0", "apii", "Server:Roles:0 must be api, worker, admin, and not 'apii'; did you mean api?")]
    [InlineData("Server:PublicUrl", "api.example.com", "Server:PublicUrl must be an address such as https://api.example.com")]
    [InlineData("Server:PathBase", "reelbase", "Server:PathBase must be a path such as /reelbase")]
    [InlineData("Admin:ListenUrl", "nonsense", "Admin:ListenUrl must be an address to listen at, such as http://10.0.0.5:5090")]
    [InlineData("Database:ConnectionString", "garbage", "Database:ConnectionString is no address of a database")]
    [InlineData("Database:WorkerConnectionString", "postgres://x:y@h/d?sslmode=ful", "Database:WorkerConnectionString is no address of a database")]
    [InlineData("DeviceCheck:TeamId", "TEAM123456", "DeviceCheck:KeyId is missing: the key is of no use without it")]
    [InlineData("Apns:PrivateKeyFile", "/nowhere/key.p8", "Apns:PrivateKeyFile names /nowhere/key.p8, which cannot be read")]
    [InlineData("AppleSignIn:PrivateKey", "not a key", "AppleSignIn:PrivateKey is not a private key in PEM form")]
    public async Task A_setting_that_would_do_nothing_is_refused_with_what_was_meant(string key, string value, string expected)
    {
        var said = await FailAsync("Development", new() { [key] = value });
        Assert.Contains(expected, said, StringComparison.Ordinal);
        Assert.Single(said.TrimEnd().Split('\n'));
    }

    [Theory]
    [InlineData("Production")]
    [InlineData("Staging")]
    public async Task Tokens_of_ios_simulators_are_accepted_in_development_only(string environment)
    {
        var said = await FailAsync(environment, new() { ["DeviceCheck:AcceptIosSimulators"] = "true" });
        Assert.Contains("DeviceCheck:AcceptIosSimulators is for Development only", said, StringComparison.Ordinal);
        Assert.Single(said.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task Everything_that_is_wrong_is_said_in_one_go()
    {
        var said = await FailAsync(
            "Production",
            new()
            {
                ["Server:Roles:0"] = "wroker",
                ["Fal:Concurrency"] = "many",
                ["Live:StreamsPerUsr"] = "1",
            }
        );
        Assert.All(
            (string[])
                [
                    "did you mean worker?",
                    "Fal:Concurrency is not readable as a whole number",
                    "did you mean Live:StreamsPerUser?",
                    "Database:ConnectionString is missing; in Production",
                    "Security:SigningKeyFile",
                    "Security:TokenSecret",
                ],
            part => Assert.Contains(part, said, StringComparison.Ordinal)
        );
        Assert.Single(said.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task An_unknown_verb_names_the_nearest()
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Reelbase.Server.dll"), "migrat"]) { RedirectStandardError = true };
        using var process = Process.Start(start)!;
        Assert.Contains("did you mean migrate?", await process.StandardError.ReadToEndAsync(), StringComparison.Ordinal);
        await process.WaitForExitAsync();
        Assert.Equal(2, process.ExitCode);
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
        using var limit = Patience.Limit();
        var said = await process.StandardError.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        Assert.Equal(1, process.ExitCode);
        return said;
    }
}
