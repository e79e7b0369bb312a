using System.Diagnostics;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Operations;

/// <summary>What is deployed from the folder <c>deploy</c>: what starts when, and that nothing is built from packages or images that nobody named.</summary>
[Trait("Check", "yes")]
public sealed class DeployTests
{
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
        await Script.WriteAsync(program, $"#!/bin/sh\nexit {code}\n");
        var (exit, output) = await RunAsync("/bin/sh", ["-c", command], new() { ["PATH"] = folder + ":/usr/bin:/bin" });
        Assert.True(expected == exit && command.Length > 0, output);
        var unit = Unit("reelbase-migrate.service");
        Assert.Contains("SuccessExitStatus=3\n", unit, StringComparison.Ordinal);
        Assert.Contains("Restart=on-failure\n", unit, StringComparison.Ordinal);
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData("Reelbase.Server.dll admin create --email a@b.example", "create", "--email", "a@b.example")]
    [InlineData("Reelbase.Server.dll doctor --json", "doctor", "--json")]
    [InlineData("Reelbase.Server.dll version", "version")]
    [InlineData("Reelbase.Server.dll admin", "")]
    public async Task The_command_line_in_a_container_takes_admins_verbs_doctor_and_version(string expected, params string[] words)
    {
        var entry = Regex
            .Match(Text("deploy/compose.yaml"), "entrypoint: \\[\"/bin/sh\", \"-c\", '(.*doctor.*)', \"admin\"\\]")
            .Groups[1]
            .Value.Replace("$$", "$", StringComparison.Ordinal);
        var folder = Directory.CreateTempSubdirectory("reelbase-compose-").FullName;
        var program = Path.Combine(folder, "dotnet");
        await Script.WriteAsync(program, "#!/bin/sh\necho \"$@\"\n");
        var (exit, output) = await RunAsync(
            "/bin/sh",
            ["-c", entry, "admin", .. words.Where(word => word.Length > 0)],
            new() { ["PATH"] = folder + ":/usr/bin:/bin" }
        );
        Assert.Equal((0, expected), (exit, output.Trim()));
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
    public void An_image_that_is_published_without_docker_is_set_up_as_the_dockerfile_says()
    {
        var project = XDocument.Parse(Text("src/Reelbase.Server/Reelbase.Server.csproj"));
        string One(string name) => project.Descendants(name).Single().Value;
        var variables = project
            .Descendants("ContainerEnvironmentVariable")
            .Select(item => $"{item.Attribute("Include")!.Value}={item.Attribute("Value")!.Value}");
        var dockerfile = Text("deploy/Dockerfile");
        Assert.Contains($"ENV {string.Join(' ', variables)}\n", dockerfile, StringComparison.Ordinal);
        Assert.Contains($"EXPOSE {project.Descendants("ContainerPort").Single().Attribute("Include")!.Value}\n", dockerfile, StringComparison.Ordinal);
        Assert.Contains($"USER {One("ContainerUser")}\n", dockerfile, StringComparison.Ordinal);
        Assert.Equal("/app/", One("ContainerWorkingDirectory"));
        Assert.Contains("WORKDIR /app\n", dockerfile, StringComparison.Ordinal);
        Assert.Equal("$(RUNTIME_IMAGE)", One("ContainerBaseImage"));
    }

    [Fact]
    public async Task Pinning_writes_digests_keeps_the_other_settings_and_its_check_refuses_an_image_without_one()
    {
        var folder = Directory.CreateTempSubdirectory("reelbase-pins-").FullName;
        var settings = Path.Combine(folder, "env");
        var docker = Path.Combine(folder, "docker");
        await File.WriteAllTextAsync(settings, "POSTGRES_PASSWORD=kept\nSDK_IMAGE=an/older:one\n");
        await Script.WriteAsync(docker, $"#!/bin/sh\necho sha256:{new string('a', 64)}\n");
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
        await Script.WriteAsync(docker, "#!/bin/sh\nexit 1\n");
        Assert.Equal(1, (await RunAsync(script, [], environment)).Code);
        Assert.Equal(lines, await File.ReadAllLinesAsync(settings));
        Directory.Delete(folder, recursive: true);
    }

    private static string Unit(string name) => Text("deploy/" + name);

    private static string Text(string path) => File.ReadAllText(Repository.PathOf(path));

    internal static async Task<(int Code, string Output)> RunAsync(string program, string[] arguments, Dictionary<string, string>? environment = null)
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
}
