using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Npgsql;
using Reelbase.Server.Platform.Database;
using Reelbase.Simulators;

namespace Reelbase.Bench.Faults;

/// <summary>A durable PostgreSQL, the server in a process of its own, and the pretend providers in this one.</summary>
public sealed class FaultWorld : IAsyncDisposable
{
    private const int ReadyLimitSeconds = 60;

    private readonly string _home;

    // Both are killed and started anew where their callers know them.
    private readonly LoopbackAddress _databaseAddress = LoopbackAddress.Hold();
    private readonly LoopbackAddress _serverAddress = LoopbackAddress.Hold();
    private readonly string _deviceKey = NewDeviceKey();
    private PrivateCluster? _cluster;
    private Process? _server;

    private FaultWorld(string home) => _home = home;

    public string Url => _serverAddress.Url;
    public string SimulatorsUrl => Simulators.Urls.First();
    public string Owner => _cluster!.ConnectionString;

    /// <summary>Where the server keeps its files.</summary>
    public string StorageDirectory => Path.Combine(_home, "data", "storage");

    /// <summary>The pretend providers.</summary>
    public WebApplication Simulators { get; private set; } = null!;

    /// <summary>What the server said last, for a campaign that fails.</summary>
    public List<string> ServerLines { get; } = [];

    public static async Task<FaultWorld> CreateAsync()
    {
        var world = new FaultWorld(Path.Combine(Path.GetTempPath(), $"reelbase-faults-{Environment.ProcessId}-{Random.Shared.Next(1_000_000)}"));
        try
        {
            await world.StartDatabaseAsync();
            world.Simulators = SimulatorApp.Build(["--urls", "http://127.0.0.1:0", "--Fal:Seconds", "1", "--Videos:Recorded", "true"]);
            await world.Simulators.StartAsync();
            await world.StartServerAsync();
            return world;
        }
        catch
        {
            await world.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts PostgreSQL, or what is left of it, on its one port; fsync and synchronous_commit stay on.</summary>
    public async Task StartDatabaseAsync() =>
        _cluster = await PrivateCluster.StartAsync(
            Path.Combine(_home, "postgresql"),
            null,
            new Dictionary<string, string> { ["port"] = _databaseAddress.Port.ToString(CultureInfo.InvariantCulture) },
            CancellationToken.None
        );

    /// <summary>kill -9 of the postmaster; its backends notice and go.</summary>
    public void KillDatabase()
    {
        using var postmaster = Process.GetProcessById(_cluster!.ProcessId);
        postmaster.Kill();
    }

    /// <summary>kill -9 of the server.</summary>
    public async Task KillServerAsync()
    {
        if (_server is { } server)
        {
            server.Kill();
            await server.WaitForExitAsync();
            server.Dispose();
            _server = null;
        }
    }

    /// <summary>Starts the server and returns when it is ready.</summary>
    public async Task StartServerAsync()
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Reelbase.Server.dll")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (key, value) in Settings())
        {
            start.Environment[key] = value;
        }
        _server = Process.Start(start)!;
        _server.OutputDataReceived += (_, line) => Keep(line.Data);
        _server.ErrorDataReceived += (_, line) => Keep(line.Data);
        _server.BeginOutputReadLine();
        _server.BeginErrorReadLine();
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed.TotalSeconds < ReadyLimitSeconds)
        {
            if (_server.HasExited)
            {
                throw new InvalidOperationException($"the server ended at its start: {string.Join('\n', ServerLines.TakeLast(10))}");
            }
            try
            {
                using var answer = await http.GetAsync(Url + "/health/ready");
                if (answer.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (Exception error) when (error is HttpRequestException or TaskCanceledException)
            {
                // Not yet.
            }
            await Task.Delay(20);
        }
        throw new InvalidOperationException("the server was not ready in time");
    }

    /// <summary>Rows of a query as the owner, columns as text.</summary>
    public async Task<List<string[]>> RowsAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(Owner + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 60 };
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<string[]>();
        while (await reader.ReadAsync())
        {
            rows.Add([
                .. Enumerable.Range(0, reader.FieldCount).Select(column => Convert.ToString(reader.GetValue(column), CultureInfo.InvariantCulture) ?? ""),
            ]);
        }
        return rows;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await KillServerAsync();
        await (Simulators?.DisposeAsync() ?? default);
        NpgsqlConnection.ClearAllPools();
        await (_cluster?.StopAsync(CancellationToken.None) ?? Task.CompletedTask);
        _databaseAddress.Dispose();
        _serverAddress.Dispose();
        Directory.Delete(_home, recursive: true);
    }

    private void Keep(string? line)
    {
        lock (ServerLines)
        {
            if (line is not null)
            {
                ServerLines.Add(line);
                if (ServerLines.Count > 200)
                {
                    ServerLines.RemoveAt(0);
                }
            }
        }
    }

    private Dictionary<string, string> Settings()
    {
        var settings = new Dictionary<string, string>
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Development",
            ["ASPNETCORE_URLS"] = Url,
            ["Logging__LogLevel__Default"] = "Warning",
        };
        void Set(string key, string value) => settings["REELBASE__" + key.Replace(":", "__", StringComparison.Ordinal)] = value;
        Set("Database:ConnectionString", Owner);
        Set("Server:PublicUrl", Url);
        Set("Server:Roles:0", "api");
        Set("Server:Roles:1", "worker");
        Set("Server:DataDirectory", Path.Combine(_home, "data"));
        Set("Fal:ApiKey", "sim:key");
        Set("Fal:UserId", "user_sim");
        Set("Fal:QueueUrl", SimulatorsUrl + "/fal");
        Set("Fal:JwksUrl", SimulatorsUrl + "/fal/.well-known/jwks.json");
        Set("Runway:ApiKey", "sim_key");
        Set("Runway:BaseUrl", SimulatorsUrl + "/runway");
        Set("Runway:MinPollSeconds", "1");
        foreach (var provider in new[] { "Fal", "Pika", "Runway" })
        {
            Set(provider + ":Concurrency", "10");
            Set(provider + ":SubmitTimeoutSeconds", "2");
            Set(provider + ":ReadTimeoutSeconds", "2");
            Set(provider + ":RetryBaseSeconds", "0.2");
            Set(provider + ":BreakerPauseSeconds", "2");
            Set(provider + ":AccountPauseSeconds", "1");
        }
        Set("DeviceCheck:BaseUrl", SimulatorsUrl + "/devicecheck");
        Set("DeviceCheck:TeamId", "TEAM000001");
        Set("DeviceCheck:KeyId", "KEY0000001");
        Set("DeviceCheck:PrivateKey", _deviceKey);
        Set("Downloads:AllowedPrivateEndpoints:0", new Uri(SimulatorsUrl).Authority);
        Set("Generation:GuestPerWindow", "-1");
        Set("Generation:GuestsPerAddressPerWindow", "-1");
        Set("Generation:QueueDeadlineSeconds", "60");
        Set("Generation:SubmissionDeadlineSeconds", "25");
        Set("Generation:AmbiguousSeconds", "5");
        Set("Generation:RetryBaseSeconds", "0.2");
        Set("Generation:RetryCapSeconds", "2");
        Set("Generation:PollSeconds", "1");
        Set("Generation:PollWithWebhookSeconds", "5");
        Set("Devices:NewDevicesPerWindow", "-1");
        Set("Flood:RequestsPerSecond", "0");
        Set("Devices:TurnSeconds", "3");
        Set("Work:LeaseSeconds", "3");
        return settings;
    }

    private static string NewDeviceKey()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return key.ExportPkcs8PrivateKeyPem();
    }
}
