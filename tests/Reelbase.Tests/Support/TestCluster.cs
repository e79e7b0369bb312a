using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Reelbase.Server.Platform.Database;
using Reelbase.Tests.Support;

[assembly: AssemblyFixture(typeof(TestCluster))]
[assembly: CaptureConsole]

namespace Reelbase.Tests.Support;

/// <summary>One private PostgreSQL for the whole run, and a migrated template that every test class copies.</summary>
public sealed class TestCluster : IAsyncLifetime
{
    private const string Template = "reelbase_template";
    private static readonly string Prefix = Path.Combine(Path.GetTempPath(), "reelbase-tests-");
    private static int _count;
    private static PrivateCluster? _cluster;
    private static string _home = "";

    /// <summary>Speed over durability: what these tests are about survives no power cut. The crash tests keep a durable cluster of their own.</summary>
    public static Dictionary<string, string> FastSettings { get; } =
        new()
        {
            ["fsync"] = "off",
            ["synchronous_commit"] = "off",
            ["full_page_writes"] = "off",
            ["max_connections"] = "1000",
            // Each connection would load its language anew, and a compiler where it meets one dear plan; what waits in hundreds of small databases to be vacuumed or written is never read again.
            ["jit"] = "off",
            ["shared_preload_libraries"] = "plpgsql",
            ["autovacuum"] = "off",
            ["bgwriter_lru_maxpages"] = "0",
        };

    /// <summary>How long a test waits for the database in seconds: a machine that is busy with other tests is not what it is about.</summary>
    public const int PatienceSeconds = 60;

    /// <summary>A folder for files of this run; removed at its end.</summary>
    public static string Home => _home;

    /// <summary>The superuser's connection to a database of the cluster.</summary>
    public static string Owner(string database) =>
        // Resetting a connection would throw away every plan of every function, and make each query by the owner slow; so would a new connection for each.
        new NpgsqlConnectionStringBuilder(_cluster!.ConnectionString)
        {
            Database = database,
            NoResetOnClose = true,
            Pooling = true,
            Timeout = PatienceSeconds,
            CommandTimeout = PatienceSeconds,
        }.ConnectionString;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        await SweepAsync();
        _home = Prefix + Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        Directory.CreateDirectory(_home);
        // What a mutation run runs needs none, and it would be started anew for each fault.
        if (AppContext.TryGetSwitch("Reelbase.Tests.WithoutDatabase", out var isWithout) && isWithout)
        {
            return;
        }
        _cluster = await PrivateCluster.StartAsync(Path.Combine(_home, "postgresql"), null, FastSettings, CancellationToken.None);
        await ExecuteAsync(_cluster.ConnectionString, $"create database {Template}");
        await new Migrator(Owner(Template), NullLogger.Instance).RunAsync(dryRun: false, CancellationToken.None);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        if (_cluster is not null)
        {
            await _cluster.StopAsync(CancellationToken.None);
        }
        Remove(_home);
    }

    /// <summary>Hundreds of databases are hundreds of thousands of files: a process of its own takes them away, and the run does not wait for it.</summary>
    private static void Remove(string folder)
    {
        using var removing = Process.Start("sh", ["-c", "exec rm -rf \"$1\" </dev/null >/dev/null 2>&1", "sh", folder]);
    }

    /// <summary>A new database with the whole schema and the seeds.</summary>
    public static async Task<string> CloneAsync() => await CreateAsync($"template {Template}");

    /// <summary>A new database with nothing in it, made as the options of <c>create database</c> say.</summary>
    public static async Task<string> EmptyAsync(string options = "") => await CreateAsync(options);

    /// <summary>Runs statements.</summary>
    public static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static readonly SemaphoreSlim OneAtATime = new(1, 1);

    private static async Task<string> CreateAsync(string how)
    {
        var name = $"test_{Interlocked.Increment(ref _count)}";
        // PostgreSQL copies a template only while nobody else does.
        await OneAtATime.WaitAsync();
        try
        {
            await ExecuteAsync(_cluster!.ConnectionString, $"create database {name} {how}");
        }
        finally
        {
            OneAtATime.Release();
        }
        return Owner(name);
    }

    /// <summary>What runs that were killed have left behind.</summary>
    private static async Task SweepAsync()
    {
        foreach (var left in Directory.EnumerateDirectories(Path.GetTempPath(), "reelbase-tests-*"))
        {
            if (int.TryParse(left[Prefix.Length..], CultureInfo.InvariantCulture, out var pid) && !IsRunning(pid))
            {
                foreach (var data in Directory.EnumerateDirectories(left))
                {
                    if (File.Exists(Path.Combine(data, "data", "postmaster.pid")))
                    {
                        var cluster = await PrivateCluster.StartAsync(data, null, FastSettings, CancellationToken.None);
                        await cluster.StopAsync(CancellationToken.None);
                    }
                }
                Remove(left);
            }
        }
    }

    private static bool IsRunning(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            return !process.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
