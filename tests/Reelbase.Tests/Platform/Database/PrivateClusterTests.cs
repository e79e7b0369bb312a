using System.Diagnostics;
using Reelbase.Server.Platform.Database;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Database;

/// <summary>The PostgreSQL that Reelbase keeps for itself.</summary>
public sealed class PrivateClusterTests
{
    [Fact]
    public async Task It_starts_is_found_running_survives_kill_nine_and_stops()
    {
        var home = Path.Combine(TestCluster.Home, "cluster-" + Guid.NewGuid().ToString("N")[..8]);
        var first = await StartAsync(home);
        Assert.False(first.WasRunning);
        // How long a probe waits is nothing for the connections that follow: a busy machine needs longer.
        Assert.Equal(new Npgsql.NpgsqlConnectionStringBuilder().Timeout, new Npgsql.NpgsqlConnectionStringBuilder(first.ConnectionString).Timeout);
        await TestCluster.ExecuteAsync(first.ConnectionString, "create table kept (n int); insert into kept values (1)");

        var second = await StartAsync(home);
        Assert.True(second.WasRunning);
        Assert.Equal(first.ConnectionString, second.ConnectionString);

        using (var postmaster = Process.GetProcessById(second.ProcessId))
        {
            postmaster.Kill();
            await postmaster.WaitForExitAsync();
        }
        var third = await StartAsync(home);
        Assert.False(third.WasRunning);
        await TestCluster.ExecuteAsync(third.ConnectionString, "insert into kept select n + 1 from kept");

        await third.StopAsync(CancellationToken.None);
        await Assert.ThrowsAnyAsync<Npgsql.NpgsqlException>(() => TestCluster.ExecuteAsync(third.ConnectionString, "select 1"));
        Assert.False(File.Exists(Path.Combine(home, "data", "postmaster.pid")));
    }

    [Fact]
    public async Task Two_starts_at_once_share_one_server()
    {
        var home = Path.Combine(TestCluster.Home, "cluster-" + Guid.NewGuid().ToString("N")[..8]);
        await (await StartAsync(home)).StopAsync(CancellationToken.None);
        var both = await Task.WhenAll(StartAsync(home), StartAsync(home));
        Assert.Equal(both[0].ProcessId, both[1].ProcessId);
        await both[0].StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task A_first_start_that_was_killed_half_way_is_begun_again()
    {
        var home = Path.Combine(TestCluster.Home, "cluster-" + Guid.NewGuid().ToString("N")[..8]);
        Directory.CreateDirectory(Path.Combine(home, "data", "base"));
        await File.WriteAllTextAsync(Path.Combine(home, "data", "PG_VERSION"), "15");
        var cluster = await StartAsync(home);
        await TestCluster.ExecuteAsync(cluster.ConnectionString, "select 1");
        await cluster.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task A_stale_pid_file_whose_number_belongs_to_somebody_else_is_no_obstacle()
    {
        var home = Path.Combine(TestCluster.Home, "cluster-" + Guid.NewGuid().ToString("N")[..8]);
        var cluster = await StartAsync(home);
        var lines = await File.ReadAllLinesAsync(Path.Combine(home, "data", "postmaster.pid"));
        await cluster.StopAsync(CancellationToken.None);
        lines[0] = Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture);
        await File.WriteAllLinesAsync(Path.Combine(home, "data", "postmaster.pid"), lines);
        var again = await StartAsync(home);
        await TestCluster.ExecuteAsync(again.ConnectionString, "select 1");
        await again.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task Without_programs_it_says_what_to_install()
    {
        var error = await Assert.ThrowsAsync<PrivateClusterException>(() =>
            PrivateCluster.StartAsync(Path.Combine(TestCluster.Home, "none"), "/nowhere", new Dictionary<string, string>(), CancellationToken.None)
        );
        Assert.Contains("install", error.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("Database:ConnectionString", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        "postgres://ada:s%40crt@db.example:6432/reel?sslmode=require",
        "Host=db.example;Port=6432;Database=reel;Username=ada;Password=s@crt;SSL Mode=Require"
    )]
    [InlineData("postgresql://db.example/reel", "Host=db.example;Port=5432;Database=reel;Username=postgres")]
    [InlineData("Host=h;Database=d", "Host=h;Database=d")]
    public void Both_forms_of_address_are_understood(string given, string expected) => Assert.Equal(expected, ConnectionStrings.Normalize(given));

    private static Task<PrivateCluster> StartAsync(string home) =>
        PrivateCluster.StartAsync(home, null, new Dictionary<string, string>(), CancellationToken.None);
}
