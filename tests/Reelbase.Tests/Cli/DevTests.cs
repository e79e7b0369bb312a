using Reelbase.Dev;
using Reelbase.Dev.Running;
using Reelbase.Dev.Testing;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Operations;

/// <summary>What <c>./reelbase</c> does around the programs that it starts: what is stale, what is shown of a log, how children end, and what the script leaves to the tool.</summary>
public sealed class DevTests
{
    [Theory]
    [InlineData("Page.razor")]
    [InlineData("Texts.resx")]
    [InlineData("site.css")]
    [InlineData("site.js")]
    [InlineData("do.function.sql")]
    [InlineData("Some.cs")]
    public async Task A_change_of_any_file_is_seen(string name)
    {
        var folder = NewFolder();
        var inner = Directory.CreateDirectory(Path.Combine(folder, "inner")).FullName;
        await File.WriteAllTextAsync(Path.Combine(inner, name), "");
        var stamp = Path.Combine(folder, "obj", "built");
        Directory.CreateDirectory(Path.GetDirectoryName(stamp)!);
        await File.WriteAllTextAsync(stamp, "");
        var built = DateTime.UtcNow.AddHours(1);
        File.SetLastWriteTimeUtc(stamp, built);
        Assert.True(Builds.IsUnchanged(stamp, [folder]));
        File.SetLastWriteTimeUtc(Path.Combine(inner, name), built.AddSeconds(1));
        Assert.False(Builds.IsUnchanged(stamp, [folder]));
        // What is gone is seen by the folder that it was in.
        File.SetLastWriteTimeUtc(Path.Combine(inner, name), built);
        Directory.SetLastWriteTimeUtc(inner, built.AddSeconds(1));
        Assert.False(Builds.IsUnchanged(stamp, [folder]));
    }

    [Fact]
    public async Task What_builds_leave_and_logs_are_no_change()
    {
        var folder = NewFolder();
        foreach (var name in (string[])["bin", "obj", "node_modules"])
        {
            await File.WriteAllTextAsync(Path.Combine(Directory.CreateDirectory(Path.Combine(folder, name)).FullName, "left.dll"), "");
        }
        await File.WriteAllTextAsync(Path.Combine(folder, "test.log"), "");
        var stamp = Path.Combine(folder, "obj", "built");
        await File.WriteAllTextAsync(stamp, "");
        File.SetLastWriteTimeUtc(stamp, DateTime.UtcNow.AddHours(1));
        foreach (var file in (string[])["bin", "obj", "bin/left.dll", "obj/left.dll", "node_modules/left.dll", "test.log"])
        {
            File.SetLastWriteTimeUtc(Path.Combine(folder, file), DateTime.UtcNow.AddHours(2));
        }
        Assert.True(Builds.IsUnchanged(stamp, [folder]));
        Assert.False(Builds.IsUnchanged(Path.Combine(folder, "obj", "never"), [folder]));
    }

    [Fact]
    public void Of_a_log_the_failures_come_first_with_their_reasons_and_the_counts_last()
    {
        string[] log =
        [
            "server: everything it said",
            "\u001b[31mfailed One_that_fails\u001b[0m (3ms)",
            "",
            "  expected 1",
            .. Enumerable.Range(0, 20).Select(index => $"  at {index}"),
            "Test run summary: Failed!",
            "  total: 12",
            "\u001b[m  failed: 1",
            "  succeeded: 10",
            "  skipped: 1",
            "  duration: 3s",
        ];
        var report = TestReport.Read(log);
        Assert.Equal((10, 1), (report.Passed, report.Failed));
        Assert.Equal(12, report.Failures.Count);
        Assert.Equal(["failed One_that_fails (3ms)", "  expected 1", "  at 0"], report.Failures.Take(3));
        Assert.Equal("Test run summary: Failed!", report.LastLines.First());
        Assert.Equal("  duration: 3s", report.LastLines.Last());
    }

    /// <summary>Ctrl-C in a terminal reaches a whole group of processes: what runs beside the tool is ended by it, in order.</summary>
    [Fact]
    public async Task A_program_beside_the_tool_is_ended_by_the_tool_and_not_by_ctrl_c()
    {
        var log = Path.Combine(NewFolder(), "child.log");
        Call call = new("bash", "-c", "sleep 600 & trap \"echo ended; kill $!; exit 7\" TERM; echo started; wait $!");
        using var process = call.StartInBackground(log);
        await Eventually.IsAsync(() => ReadAsync(log), text => text.Contains("started", StringComparison.Ordinal));
        Assert.Equal(0, await new Call("kill", "-INT", $"{process.Id}").RunAsync(CancellationToken.None));
        Assert.False(process.HasExited);
        await Call.EndAsync(process);
        Assert.Equal(7, process.ExitCode);
        Assert.Equal("started\nended\n", await File.ReadAllTextAsync(log));
    }

    [Fact]
    public async Task A_program_that_is_waited_for_ends_with_the_tool()
    {
        var folder = NewFolder();
        using CancellationTokenSource stop = new();
        var log = Path.Combine(folder, "log");
        var running = new Call("bash", "-c", "echo $$; exec sleep 600").RunIntoAsync(log, stop.Token);
        var text = await Eventually.IsAsync(() => ReadAsync(log), text => text.EndsWith('\n'));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.False(SystemCalls.IsAlive(int.Parse(text, System.Globalization.CultureInfo.InvariantCulture)));
    }

    [Theory]
    [InlineData(null, "Development")]
    [InlineData("Staging", "Staging")]
    public void The_servers_verbs_are_for_development_unless_something_else_is_given(string? given, string expected)
    {
        Dictionary<string, string> environment = given is null ? [] : new() { ["ASPNETCORE_ENVIRONMENT"] = given };
        var program = ServerCommands.Prepare("admin", "of-mine", ["create", "--email", "a@b.example"], new OperatorSettings(environment));
        Assert.Equal(["admin", "create", "--email", "a@b.example"], program.Words[1..]);
        Assert.Equal(expected, program.Variables["ASPNETCORE_ENVIRONMENT"]);
        Assert.Equal(Path.Combine(Directory.GetCurrentDirectory(), "of-mine"), program.Variables["REELBASE__Server__DataDirectory"]);
    }

    /// <summary>What has to be debugged is C#; bash finds the SDK and PostgreSQL.</summary>
    [Fact]
    public void The_script_stays_short() => Assert.InRange(File.ReadLines(Repository.PathOf("reelbase")).Count(), 1, 150);

    private static string NewFolder() => Directory.CreateDirectory(Path.Combine(TestCluster.Home, "dev-" + Guid.NewGuid().ToString("N")[..8])).FullName;

    private static Task<string> ReadAsync(string log) => File.Exists(log) ? File.ReadAllTextAsync(log) : Task.FromResult("");
}
