using System.Diagnostics;
using System.Text;
using Microsoft.Extensions.Options;
using Npgsql;
using Reelbase.Bench.Realtime;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Security;
using Reelbase.Simulators;

namespace Reelbase.Bench;

/// <summary>A server of its own with its private, durable PostgreSQL, and 1,000 users with a session, credits and a job each.</summary>
public sealed class Stage : IAsyncDisposable
{
    /// <summary>Users; their ids end in the numbers from <see cref="FirstUser"/> on.</summary>
    public const int Users = 1000;

    /// <summary>The first user's number.</summary>
    public const int FirstUser = 100001;

    /// <summary>The seeded model that is asked for.</summary>
    public const string Model = "a0000000-0000-4000-8000-000000000001";

    private Process? _server;

    // The server is stopped and started anew at the same address.
    private readonly LoopbackAddress _address = LoopbackAddress.Hold();

    private Stage(string directory) => DataDirectory = directory;

    public string DataDirectory { get; }
    public int Port => _address.Port;
    public string Owner { get; private set; } = "";
    public IReadOnlyList<string> Tokens { get; private set; } = [];
    public int ServerProcessId => _server!.Id;
    public double ResidentMegabytes => ProcessMemory.ResidentOf(ServerProcessId) / 1024.0 / 1024.0;

    /// <summary>A user's id.</summary>
    public static string UserId(int number) => $"00000000-0000-4000-8000-000000{number}";

    /// <summary>The id of that user's session.</summary>
    public static string SessionId(int number) => $"00000000-0000-4000-8001-000000{number}";

    /// <summary>The id of that user's finished job.</summary>
    public static string JobId(int number) => $"00000000-0000-7000-8002-000000{number}";

    /// <summary>Settings beside the usual ones, by their names in the environment.</summary>
    private IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    public static async Task<Stage> PrepareAsync(IReadOnlyDictionary<string, string>? settings = null)
    {
        var directory = Path.Combine(Path.GetTempPath(), $"reelbase-bench-{Environment.ProcessId}");
        var stage = new Stage(directory) { Settings = settings ?? new Dictionary<string, string>() };
        System.Console.Error.WriteLine("==> Preparing 1,000 users in a private PostgreSQL with its durability on");
        await stage.StartServerAsync();
        try
        {
            await stage.FillAsync();
        }
        catch
        {
            await stage.DisposeAsync();
            throw;
        }
        return stage;
    }

    private async Task FillAsync()
    {
        await InsertAsync();
        var keys = Keys.Load(new SecurityOptions(), Path.Combine(DataDirectory, "keys"), mayCreate: false);
        using var tokens = new AccessTokens(keys, Options.Create(new SecurityOptions()), Options.Create(new ServerOptions()), TimeProvider.System);
        Tokens = Enumerable
            .Range(FirstUser, Users)
            .Select(number => tokens.Create(new(Guid.Parse(UserId(number)), Guid.Parse(SessionId(number)), "anonymous", true, null)).Token)
            .ToList();
    }

    /// <summary>Starts the server and answers how long it took to be ready, in seconds.</summary>
    public async Task<double> StartServerAsync()
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Reelbase.Server.dll")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["ASPNETCORE_ENVIRONMENT"] = "Development",
                ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{Port}",
                ["Logging__LogLevel__Default"] = "Warning",
                ["REELBASE__Server__DataDirectory"] = DataDirectory,
                // Accepting alone is measured: with no worker nothing else asks the database for anything.
                ["REELBASE__Server__Roles__0"] = "api",
                // Counted at each press, and never reached.
                ["REELBASE__Generation__GuestPerWindow"] = "100000",
                ["REELBASE__Flood__RequestsPerSecond"] = "0",
                ["REELBASE__Generation__GuestsPerAddressPerWindow"] = "-1",
            },
        };
        foreach (var (name, value) in Settings)
        {
            start.Environment[name] = value;
        }
        var watch = Stopwatch.StartNew();
        _server = Process.Start(start)!;
        _server.OutputDataReceived += (_, _) => { };
        _server.ErrorDataReceived += (_, line) => System.Console.Error.WriteLine(line.Data);
        _server.BeginOutputReadLine();
        _server.BeginErrorReadLine();
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        while (true)
        {
            if (_server.HasExited || watch.Elapsed.TotalSeconds > 60)
            {
                throw new InvalidOperationException("the server did not start");
            }
            try
            {
                using var answer = await http.GetAsync($"http://127.0.0.1:{Port}/health/ready");
                if (answer.IsSuccessStatusCode)
                {
                    var seconds = watch.Elapsed.TotalSeconds;
                    // The private PostgreSQL takes another free port at each of its starts.
                    Owner = (
                        await PrivateCluster.StartAsync(
                            Path.Combine(DataDirectory, "postgresql"),
                            null,
                            new Dictionary<string, string>(),
                            CancellationToken.None
                        )
                    ).ConnectionString;
                    return seconds;
                }
            }
            catch (Exception error) when (error is HttpRequestException or TaskCanceledException)
            {
                await Task.Delay(10);
            }
        }
    }

    /// <summary>Starts a second node, with every role, on the running and migrated database, and ends it: seconds from the start of its process to ready.</summary>
    public async Task<double> TimeNodeAsync()
    {
        using var address = LoopbackAddress.Hold();
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Reelbase.Server.dll")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["ASPNETCORE_ENVIRONMENT"] = "Development",
                ["ASPNETCORE_URLS"] = address.Url,
                ["Logging__LogLevel__Default"] = "Warning",
                ["REELBASE__Server__DataDirectory"] = DataDirectory,
                ["REELBASE__Database__ConnectionString"] = Owner,
                // A worker without a provider's key would say that its models cannot be offered; nothing waits that could be sent there.
                ["REELBASE__Fal__ApiKey"] = "sim:key",
                ["REELBASE__Fal__QueueUrl"] = "http://127.0.0.1:9/fal",
                ["REELBASE__Fal__JwksUrl"] = "http://127.0.0.1:9/fal/.well-known/jwks.json",
            },
        };
        var watch = Stopwatch.StartNew();
        using var node = Process.Start(start)!;
        node.OutputDataReceived += (_, _) => { };
        node.ErrorDataReceived += (_, line) => System.Console.Error.WriteLine(line.Data);
        node.BeginOutputReadLine();
        node.BeginErrorReadLine();
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
        double? seconds = null;
        while (seconds is null && !node.HasExited && watch.Elapsed.TotalSeconds < 60)
        {
            try
            {
                using var answer = await http.GetAsync(address.Url + "/health/ready");
                seconds = answer.IsSuccessStatusCode ? watch.Elapsed.TotalSeconds : null;
            }
            catch (Exception error) when (error is HttpRequestException or TaskCanceledException)
            {
                await Task.Delay(10);
            }
        }
        if (!node.HasExited)
        {
            using var kill = Process.Start("kill", ["-TERM", node.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
            await node.WaitForExitAsync();
        }
        return seconds ?? throw new InvalidOperationException("the second node did not start");
    }

    /// <summary>Stops the server in order; it stops its PostgreSQL.</summary>
    public async Task StopServerAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", ServerProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await _server!.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        await StopServerAsync();
        _address.Dispose();
        Directory.Delete(DataDirectory, recursive: true);
    }

    /// <summary>Runs statements as the owner.</summary>
    public async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(Owner);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 1200 };
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Asks for one value as the owner.</summary>
    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var connection = new NpgsqlConnection(Owner);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 300 };
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Every waiting job with the number of its user.</summary>
    public async Task<List<(string Job, int User)>> WaitingJobsAsync()
    {
        var jobs = new List<(string, int)>();
        await using var connection = new NpgsqlConnection(Owner);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("select job_id::text, right(user_id::text, 6)::integer from video_jobs where stage = 'queued'", connection);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            jobs.Add((reader.GetString(0), reader.GetInt32(1)));
        }
        return jobs;
    }

    private Task InsertAsync()
    {
        var sql = new StringBuilder();
        sql.Append(
            System.Globalization.CultureInfo.InvariantCulture,
            $"""
            insert into users (id, is_guest) select ('00000000-0000-4000-8000-000000' || n)::uuid, true from generate_series({FirstUser}, {FirstUser
                + Users
                - 1}) n;
            select count(write_ledger(id, 1000000, 'initial_grant')) from users where id::text like '00000000-0000-4000-8000-000000%';
            insert into sessions (id, user_id) select ('00000000-0000-4000-8001-000000' || n)::uuid, ('00000000-0000-4000-8000-000000' || n)::uuid from generate_series({FirstUser}, {FirstUser
                + Users
                - 1}) n;
            insert into video_jobs (job_id, user_id, model_id, model_name, prompt, status, stage, video_url, credits_used, completed_at)
            select ('00000000-0000-7000-8002-000000' || n)::uuid, ('00000000-0000-4000-8000-000000' || n)::uuid, '{Model}', 'Veo 3.1 Fast', 'A paper boat on a quiet lake', 'completed', 'finished', 'a/b.mp4', 8, now()
            from generate_series({FirstUser}, {FirstUser + Users - 1}) n;
            analyze;
            """
        );
        return ExecuteAsync(sql.ToString());
    }
}
