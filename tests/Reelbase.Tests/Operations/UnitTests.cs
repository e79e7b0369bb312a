using System.Globalization;
using System.Text.RegularExpressions;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Operations;

/// <summary>The systemd units in the eyes of systemd itself: it can read them, and what they may do is little.</summary>
[Trait("Needs", "systemd")]
public sealed partial class UnitTests
{
    private const double MaxExposure = 2.0;

    /// <summary>Lines that releases of systemd before 254 do not know and ignore.</summary>
    private static readonly string[] Newer = ["Unknown key 'RestartMode' in section [Service], ignoring."];

    public static TheoryData<string> Units => [.. Repository.Files("deploy", "*.service").Select(Path.GetFileName).Order().Select(name => name!)];

    [Fact]
    public void Both_units_are_verified() => Assert.Equal(["reelbase-migrate.service", "reelbase.service"], Units.Select(row => row.Data));

    [Fact]
    public async Task Systemd_reads_the_units_and_complains_of_nothing()
    {
        // The program that they start is on the machine that runs them; here its place is taken by one that is everywhere.
        var folder = Directory.CreateTempSubdirectory("reelbase-units-");
        var files = new List<string>();
        foreach (var unit in Units.Select(row => row.Data))
        {
            var text = await File.ReadAllTextAsync(Repository.PathOf("deploy/" + unit));
            Assert.Matches("(?m)^ExecStart=/usr/bin/dotnet ", text);
            files.Add(Path.Combine(folder.FullName, unit));
            await File.WriteAllTextAsync(files[^1], text.Replace("ExecStart=/usr/bin/dotnet ", "ExecStart=/bin/sh ", StringComparison.Ordinal));
        }
        var (code, output) = await DeployTests.RunAsync("systemd-analyze", ["verify", "--man=no", .. files]);
        Assert.True(code == 0, output);
        Assert.DoesNotContain(output.Split('\n'), line => line.Length > 0 && !Newer.Any(known => line.EndsWith(known, StringComparison.Ordinal)));
        folder.Delete(recursive: true);
    }

    [Theory]
    [MemberData(nameof(Units))]
    public async Task A_unit_is_exposed_below_two_and_may_still_do_what_the_program_needs(string unit)
    {
        var file = Repository.PathOf("deploy/" + unit);
        var text = await File.ReadAllTextAsync(file);
        // The JIT compiler writes code; ffmpeg runs under limits that its shell sets.
        Assert.DoesNotMatch("(?m)^MemoryDenyWriteExecute=(true|yes)", text);
        Assert.DoesNotMatch("(?m)^SystemCallFilter=~.*@(resources|process)", text);
        if (unit == "reelbase.service")
        {
            Assert.Contains("StateDirectory=reelbase\n", text, StringComparison.Ordinal);
            Assert.Contains("REELBASE__Server__DataDirectory=/var/lib/reelbase", text, StringComparison.Ordinal);
        }
        // The threshold is in tenths; above it the tool fails by itself.
        var (code, output) = await DeployTests.RunAsync("systemd-analyze", ["security", "--offline=true", "--threshold=20", file]);
        Assert.True(code == 0, output);
        var exposure = Exposure().Match(output);
        Assert.True(exposure.Success, output);
        Assert.True(double.Parse(exposure.Groups[1].Value, CultureInfo.InvariantCulture) < MaxExposure, output);
    }

    [GeneratedRegex(@"Overall exposure level for \S+: ([0-9.]+)")]
    private static partial Regex Exposure();
}
