using System.Diagnostics;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Reelbase.Dev;
using Reelbase.Dev.Running;
using Reelbase.Server;
using Reelbase.Server.Platform;
using Reelbase.Simulators.Lan;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Operations;

/// <summary>What <c>./reelbase run</c> starts: what is pretended and what is real, whose settings win, and where a phone finds it. Nothing is started for it.</summary>
public sealed class RunTests
{
    private const string Proposed = "REELBASE_DEFAULT__";

    [Theory]
    [InlineData("on", "Fal Runway DeviceCheck AppStore AppleSignIn Apns Telegram", "fal runway devicecheck appstore signin apns telegram")]
    [InlineData("fal,apple", "Fal DeviceCheck AppStore AppleSignIn Apns", "fal devicecheck appstore signin apns")]
    [InlineData("telegram,appstore,fal", "Fal AppStore Telegram", "telegram appstore fal")]
    [InlineData("off", "", "nothing")]
    public async Task Pretended_and_real_systems_are_mixed_by_name(string simulators, string sections, string said)
    {
        var (code, output) = await TryAsync([], "--simulators", simulators);
        Assert.Equal(0, code);
        Assert.Contains($"Pretended: {said}\n", output, StringComparison.Ordinal);
        // What says where a system is: these alone lead to the pretended ones.
        string[] systems = ["Fal", "Runway", "DeviceCheck", "AppStore", "AppleSignIn", "Apns", "Telegram"];
        Assert.Equal(
            sections.Split(' ', StringSplitOptions.RemoveEmptyEntries).Order(),
            systems
                .Where(system => Lines(output).Any(line => line.StartsWith($"{Proposed}{system}__", StringComparison.Ordinal) && line.Contains("127.0.0.1")))
                .Order()
        );
    }

    [Theory]
    [InlineData("fall", "nothing called 'fall' is pretended; did you mean fal?")]
    [InlineData("fal,aple", "nothing called 'aple' is pretended; did you mean apple?")]
    [InlineData("devicechek", "did you mean devicecheck?")]
    [InlineData("fal,on", "on stands alone")]
    [InlineData("", "--simulators is on, off, or names parted by commas")]
    public async Task An_unknown_name_of_a_simulator_is_refused_in_one_line_that_names_the_near_one(string simulators, string expected)
    {
        var (code, output) = await TryAsync([], "--simulators", simulators);
        Assert.Equal(1, code);
        Assert.Contains(expected, output, StringComparison.Ordinal);
        Assert.Single(Lines(output));
    }

    [Fact]
    public async Task Everything_that_run_proposes_is_a_setting_of_the_server()
    {
        var (_, output) = await TryAsync([], "--lan", "127.0.0.2");
        var proposed = Proposals(output);
        Assert.NotEmpty(proposed);
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(proposed).Build();
        Assert.Empty(SettingNames.FindUnknown(configuration, [.. ServerApp.Sections]));
    }

    [Fact]
    public async Task Under_lan_the_server_listens_there_too_and_calls_itself_so_and_nothing_else_leaves_this_machine()
    {
        var (code, output) = await TryAsync([], "--lan", "127.0.0.2", "--port", "5999");
        Assert.Equal(0, code);
        Assert.Contains("Listens: http://127.0.0.1:5999;http://127.0.0.2:5999\n", output, StringComparison.Ordinal);
        var proposed = Proposals(output);
        Assert.Equal("http://127.0.0.2:5999", proposed["Server:PublicUrl"]);
        Assert.Equal("127.0.0.2", proposed["Server:AllowedHosts:90"]);
        Assert.Equal("http://127.0.0.1:6000/devicecheck", proposed["DeviceCheck:BaseUrl"]);
        Assert.Equal("Listens: http://127.0.0.1:5080", Lines((await TryAsync([])).Output)[0]);
    }

    [Theory]
    [InlineData("devicecheck", "Development", true)]
    [InlineData("fal,appstore", "Development", false)]
    [InlineData("devicecheck", "Staging", false)]
    public async Task Ios_simulators_are_let_in_by_themselves_only_beside_pretended_devicecheck_in_development(
        string simulators,
        string environment,
        bool expected
    )
    {
        var (code, output) = await TryAsync(new() { ["ASPNETCORE_ENVIRONMENT"] = environment }, "--simulators", simulators);
        Assert.Equal((0, expected), (code, Proposals(output).ContainsKey("DeviceCheck:AcceptIosSimulators")));
    }

    [Fact]
    public async Task What_an_operator_gave_is_used_and_said_when_it_goes_to_a_pretended_system()
    {
        var (code, output) = await TryAsync(
            new() { ["REELBASE__DeviceCheck__KeyId"] = "MINE", ["REELBASE__Server__DataDirectory"] = "/nowhere/of-mine" },
            "--simulators",
            "fal,devicecheck",
            "--Fal:ApiKey=mine:too"
        );
        Assert.Equal(0, code);
        Assert.Contains("Note: Fal__ApiKey is yours and used, but fal is pretended", output, StringComparison.Ordinal);
        Assert.Contains("Note: DeviceCheck__KeyId is yours and used, but devicecheck is pretended", output, StringComparison.Ordinal);
        Assert.Equal("/nowhere/of-mine/keys/devicecheck-simulator.pem", Proposals(output)["DeviceCheck:PrivateKeyFile"]);
    }

    [Fact]
    public async Task A_proposed_setting_is_read_and_loses_to_one_that_was_given()
    {
        var (code, output) = await ServerProcess.RunAsync(
            new Dictionary<string, string>
            {
                [Proposed + "Fal__Concurrency"] = "0",
                [Proposed + "Runway__Concurrency"] = "0",
                ["REELBASE__Runway__Concurrency"] = "5",
                // As a line of appsettings.json stands: neither in our variables nor on the command line.
                [Proposed + "Live__StreamsPerUser"] = "0",
                ["Live__StreamsPerUser"] = "5",
            },
            "--hostBuilder:reloadConfigOnChange=false"
        );
        Assert.Equal(1, code);
        Assert.Contains("Fal:Concurrency must be between", output, StringComparison.Ordinal);
        Assert.DoesNotContain("Runway:Concurrency", output, StringComparison.Ordinal);
        Assert.DoesNotContain("Live:StreamsPerUser", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("REELBASE__Server__DataDirectory")]
    [InlineData("Server__DataDirectory")]
    public async Task A_relative_folder_of_data_is_the_callers_also_when_a_variable_names_it(string variable)
    {
        var (code, output) = await TryAsync(new() { [variable] = "of-mine/data" });
        Assert.Equal(0, code);
        Assert.Equal(
            Path.Combine(Directory.GetCurrentDirectory(), "of-mine/data/keys/devicecheck-simulator.pem"),
            Proposals(output)["DeviceCheck:PrivateKeyFile"]
        );
    }

    /// <summary>Starts that all find what a run that was killed has left; each is a process that lives until the round is over.</summary>
    [Fact]
    public async Task Of_many_starts_at_once_on_the_data_of_a_killed_run_one_goes_on()
    {
        RunFolder folder = new(Directory.CreateDirectory(Path.Combine(TestCluster.Home, "starts-" + Guid.NewGuid().ToString("N")[..8])).FullName);
        var starts = Enumerable.Range(0, 8).Select(_ => Process.Start("bash", ["-c", "exec -a 'dotnet Reelbase.Dev.dll run' sleep 600"])).ToList();
        try
        {
            for (var round = 0; round < 10; round++)
            {
                await File.WriteAllTextAsync(folder.File("run.pid"), "999999999\n");
                var claimed = await Task.WhenAll(starts.Select(one => Task.Run(() => TryClaim(folder, one.Id))));
                var winner = Assert.Single(starts.Where((_, index) => claimed[index]));
                Assert.Equal($"{winner.Id}\n", await File.ReadAllTextAsync(folder.File("run.pid")));
            }
        }
        finally
        {
            foreach (var one in starts)
            {
                one.Kill();
                await one.WaitForExitAsync();
                one.Dispose();
            }
        }

        static bool TryClaim(RunFolder folder, int process)
        {
            try
            {
                folder.Claim(process);
                return true;
            }
            catch (Refusal refusal) when (refusal.Message.StartsWith("another ./reelbase run works on this data already", StringComparison.Ordinal))
            {
                return false;
            }
        }
    }

    [Fact]
    public async Task After_a_start_at_another_port_the_storys_link_leads_there()
    {
        RunFolder folder = new(Directory.CreateDirectory(Path.Combine(TestCluster.Home, "story-" + Guid.NewGuid().ToString("N")[..8])).FullName);
        Assert.Empty(Story.Recall(folder, "http://127.0.0.1:5999"));
        await File.WriteAllTextAsync(folder.File("story.txt"), "Credits: 10\nVideo: http://127.0.0.1:5080/storage/v1/object/sign/videos/a.mp4?token=t\n");
        Assert.Equal("Video: http://127.0.0.1:5999/storage/v1/object/sign/videos/a.mp4?token=t", Story.Recall(folder, "http://127.0.0.1:5999").Last());
    }

    [Theory]
    [InlineData(1, "--lan takes an IPv4 address of this machine", "--lan", "192.168.1.x")]
    [InlineData(2, "--Fal:ApiKey needs a value", "--Fal:ApiKey")]
    public async Task A_word_that_says_nothing_is_refused(int expectedCode, string expected, params string[] words)
    {
        var (code, output) = await TryAsync([], words);
        Assert.Equal(expectedCode, code);
        Assert.Contains(expected, output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lan_is_for_development_and_says_alone_where_the_server_listens()
    {
        var (code, output) = await TryAsync(new() { ["ASPNETCORE_ENVIRONMENT"] = "Production" }, "--lan", "127.0.0.2");
        Assert.Equal(1, code);
        Assert.Contains("--lan is for Development", output, StringComparison.Ordinal);
        (code, output) = await TryAsync(new() { ["ASPNETCORE_URLS"] = "http://127.0.0.1:1" }, "--lan", "127.0.0.2");
        Assert.Equal(1, code);
        Assert.Contains("unset one of them", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_second_run_on_the_same_data_is_refused_while_the_first_one_lives_and_ends_nothing(bool isAlive)
    {
        var folder = Directory.CreateDirectory(Path.Combine(TestCluster.Home, "second-" + Guid.NewGuid().ToString("N")[..8])).FullName;
        // Nothing is started for this: whoever is let through meets a port that is taken.
        await using var taken = WebApplication.CreateSlimBuilder().Build();
        taken.Urls.Add(TestSystem.AnyPort);
        await taken.StartAsync();
        using var first = Process.Start("bash", ["-c", isAlive ? "exec -a 'bash ./reelbase run' sleep 600" : "true"]);
        try
        {
            if (!isAlive)
            {
                await first.WaitForExitAsync();
            }
            await File.WriteAllTextAsync(Path.Combine(folder, "run.pid"), $"{first.Id}\n");
            var port = new Uri(TestSystem.AddressOf(taken)).Port;
            var (code, output) = await DeployTests.RunAsync(Path.Combine(Repository.Root, "reelbase"), ["run", "--port", $"{port}", "--data", folder]);
            Assert.Equal(1, code);
            Assert.Single(Lines(output));
            Assert.Contains(
                isAlive ? $"another ./reelbase run works on this data already (process {first.Id}, {folder})" : $"listens on port {port}",
                output,
                StringComparison.Ordinal
            );
            Assert.Equal(isAlive, output.Contains($"'kill {first.Id}'", StringComparison.Ordinal));
            Assert.Equal(!isAlive, first.HasExited);
            Assert.Single(Directory.GetFileSystemEntries(folder));
        }
        finally
        {
            if (!first.HasExited)
            {
                first.Kill();
            }
        }
    }

    [Theory]
    [InlineData("127.0.0.1", null)]
    [InlineData("8.8.8.8", "no address of a local network")]
    [InlineData("192.0.2.1", "no address of a local network")]
    [InlineData("10.255.255.254", "no address of this machine")]
    [InlineData("192.168.1", "takes an IPv4 address")]
    [InlineData("::1", "takes an IPv4 address")]
    public void Only_an_address_of_this_machine_that_no_stranger_reaches_is_listened_at(string given, string? fault)
    {
        Assert.Equal(fault is null ? IPAddress.Parse(given) : null, LanAddresses.Choose(given, out var said));
        Assert.Contains(fault ?? "", said ?? "", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_qr_code_says_the_address_in_half_blocks(bool hasColours)
    {
        const string address = "http://192.168.1.20:5080";
        var lines = Lines(TerminalQrCode.Draw(address, hasColours))
            .Select(line => hasColours ? line["\u001b[30;107m".Length..^"\u001b[0m".Length] : line)
            .ToList();
        using var code = QRCoder.QRCodeGenerator.GenerateQrCode(address, QRCoder.QRCodeGenerator.ECCLevel.L);
        var rows = code.ModuleMatrix;
        Assert.Equal((rows.Count + 1) / 2, lines.Count);
        for (var row = 0; row < rows.Count; row++)
        {
            var drawn = lines[row / 2].Select(character => (row % 2 == 0 ? "█▀" : "█▄").Contains(character, StringComparison.Ordinal) == hasColours);
            Assert.Equal(rows[row].Cast<bool>(), drawn);
        }
    }

    private static Task<(int Code, string Output)> TryAsync(Dictionary<string, string> environment, params string[] words) =>
        DeployTests.RunAsync(Path.Combine(Repository.Root, "reelbase"), ["run", "--dry-run", .. words], environment);

    private static string[] Lines(string output) => output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static Dictionary<string, string?> Proposals(string output) =>
        Lines(output)
            .Where(line => line.StartsWith(Proposed, StringComparison.Ordinal))
            .Select(line => line[Proposed.Length..].Split('=', 2))
            .ToDictionary(pair => pair[0].Replace("__", ":", StringComparison.Ordinal), pair => (string?)pair[1]);
}
