using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Reelbase.Server.Cli;
using Reelbase.Server.Doctor;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Operations;

/// <summary>Whatever can be wrong with an installation is planted, and <c>doctor</c> names it with the key and the remedy.</summary>
public sealed class DoctorTests(TestSystem system) : IClassFixture<TestSystem>
{
    [Theory]
    [InlineData("Server:PublicUrll", "https://a.example", "Server:PublicUrll", "did you mean Server:PublicUrl?")]
    [InlineData("Server:PublicUrl", "a.example", "Server:PublicUrl", "must be an address")]
    [InlineData("Server:Roles:0", "apii", "Server:Roles:0", "did you mean api?")]
    [InlineData("Admin:ListenUrl", "nonsense", "Admin:ListenUrl", "must be an address to listen at")]
    [InlineData("Database:ConnectionString", "garbage", "Database:ConnectionString", "no address of a database")]
    [InlineData("DeviceCheck:PrivateKeyFile", "/nowhere/key.p8", "DeviceCheck:PrivateKeyFile", "cannot be read")]
    [InlineData("Apns:PrivateKeyFile", "/nowhere/key.p8", "Apns:PrivateKeyFile", "cannot be read")]
    [InlineData("AppStore:PrivateKeyFile", "/nowhere/key.p8", "AppStore:PrivateKeyFile", "cannot be read")]
    [InlineData("AppleSignIn:PrivateKeyFile", "/nowhere/key.p8", "AppleSignIn:PrivateKeyFile", "cannot be read")]
    public async Task A_wrong_setting_is_found(string setting, string value, string key, string words)
    {
        var settings = new Dictionary<string, string?> { [setting] = value, ["Server:DataDirectory"] = system.DataDirectory };
        var findings = await DoctorCommand.ExamineAsync(Builder(settings), null);
        AssertFound(findings, Level.Fault, key, words);
    }

    [Theory]
    [InlineData("update installation set store_marker = gen_random_uuid()", Level.Fault, "Server:DataDirectory", "admin accept-storage")]
    [InlineData("update installation set backed_up_at = now() - interval '9 days'", Level.Warning, null, "the last backup is 9.0 days old")]
    [InlineData("select 1", Level.Warning, "Database:WalArchiveDirectory", "no backup is known")]
    [InlineData("select 1", Level.Warning, "Server:PublicUrl", "providers cannot reach us")]
    [InlineData("select 1", Level.Warning, "Fal:ApiKey", "no provider is configured")]
    [InlineData("select 1", Level.Warning, "DeviceCheck:PrivateKeyFile", "no guest gets free credits")]
    [InlineData(
        "insert into alerts (kind, dedupe_key, message, created_at) values ('a_test', 'x', 'x', now() - interval '1 hour')",
        Level.Warning,
        "Telegram:BotToken",
        "1 alerts have been waiting"
    )]
    [InlineData(
        "insert into outside_systems values ('device_check', now() - interval '1 day', now(), 'answered 401')",
        Level.Fault,
        "DeviceCheck:KeyId",
        "it refuses our key"
    )]
    [InlineData("insert into outside_systems values ('fal', now() - interval '1 day', now(), 'answered 503')", Level.Warning, "Fal:ApiKey", "answered 503")]
    [InlineData(
        "insert into nodes (name, version, roles, started_at, untrusted_peer, untrusted_peer_at) values ('far/1', '0.0.1', '{api}', now(), '10.0.0.7', now())",
        Level.Fault,
        "Server:TrustedProxies",
        "set Server:TrustedProxies:0=10.0.0.7"
    )]
    [InlineData("insert into nodes (name, version, roles, started_at) values ('far/1', '0.0.1', '{api}', now())", Level.Warning, null, "finish the roll")]
    [InlineData("delete from reelbase.schema_files where name like '%doctor_facts%'", Level.Fault, null, "./reelbase migrate")]
    [InlineData(
        "insert into purchases (environment, transaction_id, product_id, quantity, credits, signed_at, purchased_at, source) select 'Production', 'planted', product_id, 1, 1, now(), now(), 'notification' from products limit 1",
        Level.Warning,
        null,
        "1 purchases have no owner"
    )]
    [InlineData("update products set is_active = false", Level.Warning, null, "nothing can be bought")]
    public async Task What_the_database_knows_is_found(string planted, Level level, string? key, string words)
    {
        var owner = await TestCluster.CloneAsync();
        await TestCluster.ExecuteAsync(owner, planted);
        AssertFound(await ExamineAsync(owner, []), level, key, words);
    }

    [Theory]
    [InlineData("Admin:MaxCredits", "1", Level.Fault, "Admin:MaxCredits", "nobody can give it back")]
    [InlineData("Purchases:SandboxCreditsPerUser", "1", Level.Fault, "Purchases:SandboxCreditsPerUser", "App Review")]
    [InlineData("Purchases:SandboxCreditsPerDay", "1", Level.Fault, "Purchases:SandboxCreditsPerDay", "App Review")]
    [InlineData("Storage:MinFreeDiskMegabytes", "2147483647", Level.Fault, "Storage:MinFreeDiskMegabytes", "uploads are refused")]
    [InlineData("Server:PublicUrl", "https://127.0.0.1:1", Level.Warning, "ASPNETCORE_ENVIRONMENT", "Development serves a public address")]
    [InlineData("Server:AcceptUnverifiedUserId", "true", Level.Warning, "Server:AcceptUnverifiedUserId", "anybody who knows a user_id")]
    public async Task A_setting_that_does_not_go_with_the_installation_is_found(string setting, string value, Level level, string key, string words)
    {
        AssertFound(await ExamineAsync(system.Owner, new() { [setting] = value }), level, key, words);
    }

    [Theory]
    [InlineData("nobody", "nobody answers at")]
    [InlineData("not_found", "answers 404")]
    [InlineData("page", "something that is no Reelbase")]
    [InlineData("other", "another installation")]
    [InlineData("gate", "is answered 403 by something in front")]
    public async Task An_address_that_does_not_lead_here_is_found(string what, string words)
    {
        var ours = await system.QueryAsync<string>("select doctor_facts() ->> 'installation'");
        var builder = WebApplication.CreateSlimBuilder();
        await using var front = builder.Build();
        front.Urls.Add(TestSystem.AnyPort);
        front.MapGet(
            "/health/ready",
            () =>
                what switch
                {
                    "not_found" => Results.NotFound(),
                    "page" => Results.Text("<html>Welcome</html>"),
                    _ => Results.Json(new { installation = what == "other" ? "0000000000000000" : ours, warnings = Array.Empty<string>() }),
                }
        );
        front.MapPost("/webhooks/fal/doctor", () => Results.Text("<html>Sign in</html>", statusCode: 403));
        await front.StartAsync();
        var url = TestSystem.AddressOf(front);
        if (what == "nobody")
        {
            // Nothing listens at port 1.
            url = "http://127.0.0.1:1";
        }
        AssertFound(await ExamineAsync(system.Owner, new() { ["Server:PublicUrl"] = url }), Level.Fault, "Server:PublicUrl", words);
        await front.StopAsync();
    }

    [Fact]
    public void Clocks_that_differ_and_queues_that_starve_are_found()
    {
        var now = new DateTime(2026, 1, 31, 10, 0, 0, DateTimeKind.Utc);
        Assert.Equal(Level.Ok, DatabaseChecks.ExamineClock(now, now.AddSeconds(9), now.AddSeconds(4)).Level);
        Assert.Equal(Level.Warning, DatabaseChecks.ExamineClock(now, now.AddSeconds(1), now.AddSeconds(6)).Level);
        Assert.Equal(Level.Fault, DatabaseChecks.ExamineClock(now, now, now.AddMinutes(-2)).Level);
        var facts = new Facts
        {
            Now = now,
            IsReadOnly = true,
            Negative = 2,
            LedgerReport = "{\"mismatches\": 1}",
            Outages = ["runway"],
            Queues = [new("fal", 1500, 36)],
        };
        var findings = DatabaseChecks.Examine(Builder([]), facts).ToList();
        AssertFound(findings, Level.Fault, "Fal:Concurrency", "36 jobs wait for fal");
        AssertFound(findings, Level.Fault, "Database:ConnectionString", "takes no writes");
        AssertFound(findings, Level.Warning, null, "2 users have a balance below zero");
        AssertFound(findings, Level.Fault, null, "the last check of the ledger found");
        AssertFound(findings, Level.Warning, null, "runway is failing");
    }

    [Fact]
    public async Task A_sound_installation_has_no_fault_and_its_address_storage_and_webhooks_are_found_well()
    {
        var findings = await ExamineAsync(system.Owner, []);
        Assert.DoesNotContain(findings, finding => finding.Level == Level.Fault);
        foreach (var check in (string[])["settings", "database", "clocks", "storage", "address", "webhooks", "caps"])
        {
            Assert.All(findings.Where(finding => finding.Check == check), finding => Assert.Equal((check, Level.Ok), (finding.Check, finding.Level)));
            Assert.Contains(findings, finding => finding.Check == check);
        }
    }

    [Fact]
    public async Task The_verb_ends_with_2_for_a_fault_1_for_a_warning_and_says_the_same_as_json()
    {
        var environment = new Dictionary<string, string> { ["REELBASE__Server__DataDirectory"] = system.DataDirectory };
        var (code, output) = await ServerProcess.RunAsync(environment, "doctor", "--database", system.Owner);
        Assert.Equal(1, code);
        Assert.Contains("0 faults", output, StringComparison.Ordinal);
        environment["REELBASE__Admin__MaxCredits"] = "1";
        (code, output) = await ServerProcess.RunAsync(environment, "doctor", "--json", "--database", system.Owner);
        Assert.Equal(2, code);
        // Beside it is said, for people, that an argument has a password.
        var json = output[..(output.LastIndexOf(']') + 1)];
        var finding = JsonDocument.Parse(json).RootElement.EnumerateArray().Single(finding => finding.GetProperty("key").GetString() == "Admin:MaxCredits");
        Assert.Equal("fault", finding.GetProperty("level").GetString());
        Assert.NotEmpty(finding.GetProperty("remedy").GetString()!);
        // A folder that is not there is named and not made.
        var folder = Path.Combine(TestCluster.Home, "nobody-" + Guid.NewGuid().ToString("N")[..8]);
        (code, output) = await ServerProcess.RunAsync(new Dictionary<string, string> { ["REELBASE__Server__DataDirectory"] = folder }, "doctor");
        Assert.Equal(2, code);
        Assert.Contains(folder, output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public async Task The_command_line_and_doctor_need_no_address_of_the_owner()
    {
        // As the service admin of compose.yaml has it: the roles' addresses, and a folder without a private PostgreSQL.
        var folder = Path.Combine(TestCluster.Home, "roles-" + Guid.NewGuid().ToString("N")[..8]);
        var environment = new Dictionary<string, string>
        {
            ["REELBASE__Server__DataDirectory"] = folder,
            ["REELBASE__Database__ApiConnectionString"] = system.Strings.Api,
            ["REELBASE__Database__WorkerConnectionString"] = system.Strings.Worker,
            ["REELBASE__Database__AdminConnectionString"] = system.Strings.Admin!,
        };
        var (code, output) = await ServerProcess.RunAsync(environment, "admin", "reconcile");
        Assert.True(code == 0, output);
        (code, output) = await ServerProcess.RunAsync(environment, "version");
        Assert.Equal(0, code);
        Assert.Contains("Node ", output, StringComparison.Ordinal);
        (_, output) = await ServerProcess.RunAsync(environment, "doctor");
        Assert.Contains("this machine and the database agree", output, StringComparison.Ordinal);
        Assert.Contains("migrations are not compared", output, StringComparison.Ordinal);
        // What only the owner can see is refused as before, and nothing is made.
        (code, output) = await ServerProcess.RunAsync(environment, "admin", "database-url");
        Assert.Equal(1, code);
        Assert.Contains("nothing was made", output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(folder, "postgresql")));
    }

    /// <summary>As the system is configured, unless another database is meant: then nobody serves it.</summary>
    private Task<List<Finding>> ExamineAsync(string owner, Dictionary<string, string?> more)
    {
        var settings =
            owner == system.Owner
                ? TestSystem.BaseSettings(system.Url, system.SimulatorsUrl, system.DataDirectory)
                : new() { ["Server:DataDirectory"] = system.DataDirectory };
        foreach (var (key, value) in more)
        {
            settings[key] = value;
        }
        return DoctorCommand.ExamineAsync(Builder(settings), owner);
    }

    private static WebApplicationBuilder Builder(Dictionary<string, string?> settings)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = "Development" });
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection(settings);
        return builder;
    }

    private static void AssertFound(IReadOnlyCollection<Finding> findings, Level level, string? key, string words) =>
        Assert.True(
            findings.Any(finding =>
                finding.Level == level
                && (key is null || finding.Key == key)
                && finding.ToString().Contains(words, StringComparison.Ordinal)
                && finding.Remedy is { Length: > 0 }
            ),
            string.Join('\n', findings)
        );
}
