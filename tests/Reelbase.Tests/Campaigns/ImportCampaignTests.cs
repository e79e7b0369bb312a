using System.Diagnostics;
using Reelbase.Server.Platform.Database;
using Reelbase.Tests.Features;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Campaigns;

/// <summary>The import of a crowd is killed three times on the way, and ends as one that nobody has disturbed.</summary>
[Campaign]
public sealed class ImportCampaignTests
{
    private const int Kills = 3;

    [Fact]
    public async Task Killed_three_times_nothing_is_there_twice_and_nothing_is_missing()
    {
        var crowd = Campaign.Share(6_000, 100_000);
        var source = await SupabaseProject.CreateAsync(crowd);
        var before = await source.ChecksumAsync();
        var undisturbed = await TestCluster.CloneAsync();
        var (code, output) = await ImportTests.ImportAsync(source.Url, undisturbed);
        Assert.True(code == 0, output);
        TestContext.Current.SendDiagnosticMessage(output.Split('\n').Last(line => line.StartsWith("Carried over", StringComparison.Ordinal)));

        var killed = await TestCluster.CloneAsync();
        for (var kill = 1; kill <= Kills; kill++)
        {
            // Enough is left at the last one that there is time to see it and to kill.
            await KillAtAsync(source.Url, killed, crowd * kill / (Kills + 2));
            Assert.Equal(
                ["0"],
                await SupabaseProject.RowsAsync(
                    killed,
                    "select count(*) from users u where credits_remaining <> (select coalesce(sum(change), 0) from quota_log q where q.user_id = u.id)"
                )
            );
        }
        (code, output) = await ImportTests.ImportAsync(source.Url, killed);
        Assert.True(code == 0, output);
        Assert.Contains("Going on after", output, StringComparison.Ordinal);
        Assert.Equal(await ImportTests.StateAsync(undisturbed), await ImportTests.StateAsync(killed));
        Assert.Equal(
            [$"{crowd + 3}|{crowd + 5}"],
            await SupabaseProject.RowsAsync(killed, "select (select count(*) from users), (select count(*) from video_jobs)")
        );
        Assert.Empty(await SupabaseProject.RowsAsync(killed, "select * from check_ledger()"));
        Assert.Equal(before, await source.ChecksumAsync());
    }

    /// <summary>SIGKILL as soon as so many users are committed; one that was faster than we has to be a later kill.</summary>
    private static async Task KillAtAsync(string source, string target, int users)
    {
        var start = new ProcessStartInfo(
            "dotnet",
            [
                Path.Combine(AppContext.BaseDirectory, "Reelbase.Server.dll"),
                "import",
                "supabase",
                "--from",
                source,
                "--database",
                ConnectionStrings.ToUrl(target),
            ]
        )
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["ASPNETCORE_ENVIRONMENT"] = "Development" },
        };
        using var process = Process.Start(start)!;
        var read = Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        while (
            !process.HasExited
            && long.Parse(
                (await SupabaseProject.RowsAsync(target, "select coalesce(max(users), 0) from imports"))[0],
                System.Globalization.CultureInfo.InvariantCulture
            ) < users
        )
        {
            await Task.Delay(10);
        }
        Assert.False(process.HasExited, "the import was over before it could be killed");
        process.Kill();
        await process.WaitForExitAsync();
        await read;
    }
}
