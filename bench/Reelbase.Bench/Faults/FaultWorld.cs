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
    private const string SupportEmail = "support@faults.example";

    private readonly string _home;

    // Both are killed and started anew where their callers know them.
    private readonly LoopbackAddress _databaseAddress = LoopbackAddress.Hold();
    private readonly string _deviceKey = NewDeviceKey();
    private PrivateCluster? _cluster;
    private FaultDisk? _disk;

    private FaultWorld(string home) => _home = home;

    /// <summary>Two nodes of one installation; webhooks go to the first.</summary>
    public IReadOnlyList<FaultNode> Nodes { get; } = [new("node 1"), new("node 2")];

    public string Url => Nodes[0].Url;

    /// <summary>A bearer token of support.</summary>
    public string SupportToken { get; private set; } = "";

    /// <summary>The disk of the file store.</summary>
    public FaultDisk Disk => _disk!;

    public string SimulatorsUrl => Simulators.Urls.First();
    public string Owner => _cluster!.ConnectionString;

    /// <summary>Where the server keeps its files.</summary>
    public string StorageDirectory => Path.Combine(_home, "data", "storage");

    /// <summary>The pretend providers.</summary>
    public WebApplication Simulators { get; private set; } = null!;

    public static async Task<FaultWorld> CreateAsync()
    {
        var world = new FaultWorld(Path.Combine(Path.GetTempPath(), $"reelbase-faults-{Environment.ProcessId}-{Random.Shared.Next(1_000_000)}"));
        try
        {
            await world.StartDatabaseAsync();
            world.Simulators = SimulatorApp.Build(["--urls", "http://127.0.0.1:0", "--Fal:Seconds", "1", "--Videos:Recorded", "true"]);
            await world.Simulators.StartAsync();
            world._disk = FaultDisk.Mount(world.StorageDirectory);
            await Task.WhenAll(world.Nodes.Select(world.StartNodeAsync));
            await world.RunVerbAsync("admin", "create", "--email", SupportEmail);
            world.SupportToken = await world.RunVerbAsync("admin", "token", "--email", SupportEmail);
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

    /// <summary>Starts a node and returns when it is ready.</summary>
    public Task StartNodeAsync(FaultNode node) => node.StartAsync(Settings());

    /// <summary>Where a user's app may send its next call: a load balancer stands for whichever node is not known to be away.</summary>
    public string AnyUrl(Random random)
    {
        var awake = Nodes.Where(node => !node.IsFrozen).ToList();
        return (awake.Count == 0 || random.Next(10) == 0 ? Nodes[random.Next(Nodes.Count)] : awake[random.Next(awake.Count)]).Url;
    }

    /// <summary>PostgreSQL becomes what a former primary is: it answers, and changes nothing.</summary>
    public async Task SetReadOnlyAsync(bool isReadOnly)
    {
        await RowsAsync($"alter system set default_transaction_read_only = {(isReadOnly ? "on" : "off")}");
        await RowsAsync("select pg_reload_conf()");
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
        foreach (var node in Nodes)
        {
            await node.KillAsync();
            node.Dispose();
        }
        _disk?.Dispose();
        await (Simulators?.DisposeAsync() ?? default);
        NpgsqlConnection.ClearAllPools();
        await (_cluster?.StopAsync(CancellationToken.None) ?? Task.CompletedTask);
        _databaseAddress.Dispose();
        Directory.Delete(_home, recursive: true);
    }

    /// <summary>One of the server's own verbs; what it printed.</summary>
    private async Task<string> RunVerbAsync(params string[] args)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Reelbase.Server.dll"), .. args, "--database", Owner])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (key, value) in Settings())
        {
            start.Environment[key] = value;
        }
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = (await process.StandardOutput.ReadToEndAsync()).Trim();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{string.Join(' ', args)}: {output} {await errors}");
    }

    private Dictionary<string, string> Settings()
    {
        var settings = new Dictionary<string, string> { ["ASPNETCORE_ENVIRONMENT"] = "Development", ["Logging__LogLevel__Default"] = "Warning" };
        void Set(string key, string value) => settings["REELBASE__" + key.Replace(":", "__", StringComparison.Ordinal)] = value;
        Set("Database:ConnectionString", Owner);
        Set("Server:PublicUrl", Url);
        Set("Server:Roles:0", "api");
        Set("Server:Roles:1", "worker");
        Set("Server:Roles:2", "admin");
        Set("Server:DataDirectory", Path.Combine(_home, "data"));
        // The file system of its files is small: what is left of it when it is not filled is room enough.
        Set("Storage:MinFreeDiskMegabytes", "64");
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
