using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Operations;

/// <summary>What is deployed from the folder <c>deploy</c>: who gets which secret, what the units may do, and that nothing is built from packages or images that nobody named.</summary>
[Trait("Check", "yes")]
public sealed partial class DeployTests
{
    private const double MaxExposure = 2.0;

    [Fact]
    public void No_service_but_the_migration_has_the_owners_address_and_the_node_has_role_addresses_only()
    {
        var services = Services();
        Assert.Equal(["admin", "migrate", "postgres", "reelbase"], services.Keys.Order());
        Assert.Contains("POSTGRES_PASSWORD", services["migrate"], StringComparison.Ordinal);
        Assert.Contains("Reelbase.Server.dll migrate", services["migrate"], StringComparison.Ordinal);
        Assert.Contains("profiles: [tools]", services["admin"], StringComparison.Ordinal);
        Assert.Contains("restart: \"no\"", services["migrate"], StringComparison.Ordinal);
        foreach (var (name, text) in services.Where(service => service.Key == "reelbase"))
        {
            Assert.DoesNotContain("POSTGRES_PASSWORD", text, StringComparison.Ordinal);
            Assert.DoesNotContain("Database__ConnectionString", text, StringComparison.Ordinal);
            Assert.DoesNotContain("reelbase_admin", text, StringComparison.Ordinal);
            Assert.DoesNotContain("ADMIN_PASSWORD", text, StringComparison.Ordinal);
            foreach (var role in new[] { "api", "worker" })
            {
                Assert.Contains($"postgres://reelbase_{role}:", text, StringComparison.Ordinal);
            }
            Assert.Matches("condition: service_completed_successfully", text);
            // What compose fills in stays with compose; a node reads a file of its own.
            Assert.DoesNotMatch(@"env_file:\s*\.env\b", text);
            Assert.Equal("node.env", EnvFile().Match(text).Groups[1].Value);
            Assert.True(text.Contains("read_only: true", StringComparison.Ordinal), name);
        }
        var node = File.ReadAllText(Repository.PathOf("deploy/node.env.example"));
        Assert.DoesNotMatch("(?m)^[^#]*(POSTGRES_PASSWORD|Database__ConnectionString)", node);
    }

    [Fact]
    public void No_unit_but_the_migration_reads_the_owners_address()
    {
        Assert.Contains("EnvironmentFile=/etc/reelbase/owner.env", Unit("reelbase-migrate.service"), StringComparison.Ordinal);
        Assert.DoesNotMatch("(?m)^[^#]*owner", Unit("reelbase.service"));
        Assert.Contains("Requires=reelbase-migrate.service", Unit("reelbase.service"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(3, 0)]
    [InlineData(1, 1)]
    public async Task A_database_that_is_newer_than_the_program_lets_the_node_start_and_a_failure_does_not(int code, int expected)
    {
        var command = Regex
            .Match(Text("deploy/compose.yaml"), "entrypoint: \\[\"/bin/sh\", \"-c\", \"(.*migrate.*)\"\\]")
            .Groups[1]
            .Value.Replace("$$", "$", StringComparison.Ordinal);
        var folder = Directory.CreateTempSubdirectory("reelbase-compose-").FullName;
        var program = Path.Combine(folder, "dotnet");
        await File.WriteAllTextAsync(program, $"#!/bin/sh\nexit {code}\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.UserWrite);
        var (exit, output) = await RunAsync("/bin/sh", ["-c", command], new() { ["PATH"] = folder + ":/usr/bin:/bin" });
        Assert.True(expected == exit && command.Length > 0, output);
        var unit = Unit("reelbase-migrate.service");
        Assert.Contains("SuccessExitStatus=3\n", unit, StringComparison.Ordinal);
        Assert.Contains("Restart=on-failure\n", unit, StringComparison.Ordinal);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void A_node_needs_no_address_of_the_role_that_only_the_command_line_uses()
    {
        var options = new Reelbase.Server.Platform.Database.DatabaseOptions
        {
            ApiConnectionString = "postgres://reelbase_api:a@db/reelbase",
            WorkerConnectionString = "postgres://reelbase_worker:b@db/reelbase",
        };
        var strings = Reelbase.Server.Platform.Database.ConnectionStrings.From(options, null);
        Assert.Null(strings.Admin);
        Assert.Throws<InvalidOperationException>(() => new Reelbase.Server.Platform.Database.AdminDatabase(strings));
    }

    [Theory]
    [InlineData("reelbase.service")]
    [InlineData("reelbase-migrate.service")]
    public async Task A_unit_is_exposed_below_two_and_may_still_do_what_the_program_needs(string unit)
    {
        var text = Unit(unit);
        // The JIT compiler writes code; ffmpeg runs under limits that its shell sets.
        Assert.DoesNotMatch("(?m)^MemoryDenyWriteExecute=(true|yes)", text);
        Assert.DoesNotMatch("(?m)^SystemCallFilter=~.*@(resources|process)", text);
        if (unit == "reelbase.service")
        {
            Assert.Contains("StateDirectory=reelbase\n", text, StringComparison.Ordinal);
            Assert.Contains("REELBASE__Server__DataDirectory=/var/lib/reelbase", text, StringComparison.Ordinal);
        }
        if (!File.Exists("/usr/bin/systemd-analyze"))
        {
            // Without the tool at least what it counts is there.
            Assert.All(
                ["NoNewPrivileges=true", "PrivateUsers=true", "ProtectSystem=strict", "RestrictNamespaces=true", "SystemCallFilter=@system-service"],
                line => Assert.Contains(line, text, StringComparison.Ordinal)
            );
            return;
        }
        var (_, output) = await RunAsync("systemd-analyze", ["security", "--offline=yes", Repository.PathOf("deploy/" + unit)]);
        var exposure = Exposure().Match(output);
        Assert.True(exposure.Success, output);
        Assert.True(double.Parse(exposure.Groups[1].Value, CultureInfo.InvariantCulture) < MaxExposure, output);
    }

    [Fact]
    public void Packages_are_restored_in_locked_mode_by_the_script_the_image_and_ci()
    {
        Assert.Contains("dotnet restore src/Reelbase.Server/Reelbase.Server.csproj --locked-mode", Text("deploy/Dockerfile"), StringComparison.Ordinal);
        Assert.Matches(@"dotnet publish .* --no-restore", Text("deploy/Dockerfile"));
        Assert.Matches(@"(?m)^export .*\bREELBASE_LOCKED=true", Text("reelbase"));
        Assert.Matches(@"(?m)^export CI=true", Text(".ci/run"));
        Assert.Matches(@"'\$\(CI\)' == 'true' Or '\$\(REELBASE_LOCKED\)' == 'true'""\s*>true</RestoreLockedMode>", Text("Directory.Build.props"));
    }

    [Fact]
    public void Every_image_can_be_given_by_digest_and_none_is_named_elsewhere()
    {
        var pins = Text("deploy/pin-images");
        Assert.All(
            Regex.Matches(Text("deploy/Dockerfile"), "(?m)^FROM (.*?)( AS .*)?$").Select(match => match.Groups[1].Value),
            image => Assert.Matches(@"^\$\{(SDK|RUNTIME)_IMAGE\}$", image)
        );
        Assert.DoesNotContain("# syntax=", Text("deploy/Dockerfile"), StringComparison.Ordinal);
        var named = Regex
            .Matches(Text("deploy/compose.yaml"), @"\$\{([A-Z]+_IMAGE):-([^}]+)\}")
            .Select(match => $"{match.Groups[1].Value}={match.Groups[2].Value}")
            .ToList();
        Assert.Equal(3, named.Count);
        Assert.All(named, image => Assert.Contains(image, pins, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Pinning_writes_digests_keeps_the_other_settings_and_its_check_refuses_an_image_without_one()
    {
        var folder = Directory.CreateTempSubdirectory("reelbase-pins-").FullName;
        var settings = Path.Combine(folder, "env");
        var docker = Path.Combine(folder, "docker");
        await File.WriteAllTextAsync(settings, "POSTGRES_PASSWORD=kept\nSDK_IMAGE=an/older:one\n");
        await File.WriteAllTextAsync(docker, $"#!/bin/sh\necho sha256:{new string('a', 64)}\n");
        File.SetUnixFileMode(docker, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.UserWrite);
        var environment = new Dictionary<string, string>
        {
            ["REELBASE_ENV_FILE"] = settings,
            ["PATH"] = folder + ":" + Environment.GetEnvironmentVariable("PATH"),
        };
        var script = Repository.PathOf("deploy/pin-images");
        Assert.Equal(1, (await RunAsync(script, ["--check"], environment)).Code);
        var (code, output) = await RunAsync(script, [], environment);
        Assert.True(code == 0, output);
        var lines = await File.ReadAllLinesAsync(settings);
        Assert.Equal("POSTGRES_PASSWORD=kept", lines[0]);
        Assert.Equal(3, lines.Count(line => line.EndsWith($"@sha256:{new string('a', 64)}", StringComparison.Ordinal)));
        Assert.Equal(4, lines.Length);
        Assert.Equal(0, (await RunAsync(script, ["--check"], environment)).Code);
        // A registry that does not answer changes nothing.
        await File.WriteAllTextAsync(docker, "#!/bin/sh\nexit 1\n");
        Assert.Equal(1, (await RunAsync(script, [], environment)).Code);
        Assert.Equal(lines, await File.ReadAllLinesAsync(settings));
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>The services of the compose file with their anchors filled in, each as the text below its name.</summary>
    private static Dictionary<string, string> Services()
    {
        var text = Text("deploy/compose.yaml");
        var anchors = Regex.Matches(text, @"(?m)^x-\w+: &(\w+)\n((?:  .*\n)+)").ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value);
        var below = Regex.Match(text, @"(?m)^services:\n((?:  .*\n)+)").Groups[1].Value;
        return Regex
            .Matches(below, @"(?m)^  (\w+):\n((?:    .*\n)+)")
            .ToDictionary(
                match => match.Groups[1].Value,
                match => Regex.Replace(match.Groups[2].Value, @"<<: \*(\w+)", reference => anchors[reference.Groups[1].Value])
            );
    }

    private static string Unit(string name) => Text("deploy/" + name);

    private static string Text(string path) => File.ReadAllText(Repository.PathOf(path));

    private static async Task<(int Code, string Output)> RunAsync(string program, string[] arguments, Dictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment ?? [])
        {
            start.Environment[name] = value;
        }
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync() + await errors;
        await process.WaitForExitAsync();
        return (process.ExitCode, output);
    }

    [GeneratedRegex(@"env_file: (\S+)")]
    private static partial Regex EnvFile();

    [GeneratedRegex(@"Overall exposure level for \S+: ([0-9.]+)")]
    private static partial Regex Exposure();
}
