using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using Reelbase.Simulators;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Storage;

/// <summary>
/// OpenStack Swift with its S3 interface and accounts of its own, as a real store that checks signatures: four daemons and a memcached on loopback,
/// one copy of everything. The packages are swift-proxy, swift-account, swift-container, swift-object and memcached.
/// </summary>
public sealed class SwiftServer : IAsyncLifetime
{
    public const string AccessKey = "test:tester";
    public const string SecretKey = "testing";
    public const string Bucket = "reelbase";

    private readonly List<Process> _processes = [];

    // Each daemon reads its port from a file, the rings name the ports of the stores: known before, and ours until the end.
    private readonly ConcurrentBag<LoopbackAddress> _held = [];
    private string _home = "";

    public string Url { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        Assert.True(
            File.Exists("/usr/bin/swift-proxy-server"),
            "OpenStack Swift is missing: apt-get install swift-proxy swift-account swift-container swift-object memcached"
        );
        _home = Path.Combine(TestCluster.Home, "swift-" + Guid.NewGuid().ToString("N")[..6]);
        Directory.CreateDirectory(Path.Combine(_home, "devices", "d1"));
        var memcached = HoldPort();
        Start("memcached", "-u", Environment.UserName, "-l", "127.0.0.1", "-p", Text(memcached), "-m", "16");
        var stores = new[] { "account", "container", "object" }.Select(name => (Name: name, Port: HoldPort())).ToList();
        await MakeRingsAsync(stores);
        await Task.WhenAll(stores.Select(store => StartStoreAsync(store.Name, store.Port)));
        var proxy = HoldPort();
        await File.WriteAllTextAsync(
            Path.Combine(_home, "proxy-server.conf"),
            $"""
            [DEFAULT]
            bind_ip = 127.0.0.1
            bind_port = {proxy}
            user = {Environment.UserName}
            swift_dir = {_home}
            workers = 0
            log_udp_host = 127.0.0.1
            log_udp_port = 9
            [pipeline:main]
            pipeline = catch_errors gatekeeper cache listing_formats bulk s3api tempauth slo dlo proxy-server
            [app:proxy-server]
            use = egg:swift#proxy
            account_autocreate = true
            # A busy machine is no store in trouble: half a second for a connection, the default, is soon over on it.
            conn_timeout = 30
            node_timeout = 60
            error_suppression_limit = 1000000
            [filter:catch_errors]
            use = egg:swift#catch_errors
            [filter:gatekeeper]
            use = egg:swift#gatekeeper
            [filter:cache]
            use = egg:swift#memcache
            memcache_servers = 127.0.0.1:{memcached}
            [filter:listing_formats]
            use = egg:swift#listing_formats
            [filter:bulk]
            use = egg:swift#bulk
            [filter:s3api]
            use = egg:swift#s3api
            location = us-east-1
            [filter:tempauth]
            use = egg:swift#tempauth
            user_test_tester = {SecretKey} .admin
            [filter:slo]
            use = egg:swift#slo
            [filter:dlo]
            use = egg:swift#dlo
            """
        );
        Start("swift-proxy-server", Path.Combine(_home, "proxy-server.conf"));
        Url = $"http://127.0.0.1:{proxy}";
        using var client = Client();
        await Eventually.IsAsync(
            async () =>
            {
                try
                {
                    return (await client.PutBucketAsync(Bucket)).HttpStatusCode;
                }
                catch (Exception error) when (error is AmazonServiceException or AmazonClientException or HttpRequestException)
                {
                    return default;
                }
            },
            status => status == HttpStatusCode.OK,
            120
        );
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }
        foreach (var address in _held)
        {
            address.Dispose();
        }
    }

    /// <summary>A client of the vendor's, with the right secret unless configured otherwise.</summary>
    public AmazonS3Client Client(string secret = SecretKey) =>
        new(
            new BasicAWSCredentials(AccessKey, secret),
            new AmazonS3Config
            {
                ServiceURL = Url,
                AuthenticationRegion = "us-east-1",
                ForcePathStyle = true,
                MaxErrorRetry = 0,
            }
        );

    /// <summary>The three rings in one process of Swift's own Python: its program for them takes half a second for each of nine steps.</summary>
    private Task MakeRingsAsync(IEnumerable<(string Name, int Port)> stores) =>
        RunAsync(
            "/usr/bin/python3",
            [
                "-c",
                """
                import sys
                from swift.common.ring import RingBuilder
                for path, port in zip(sys.argv[1::2], sys.argv[2::2]):
                    builder = RingBuilder(4, 1, 0)
                    builder.add_dev({"region": 1, "zone": 1, "ip": "127.0.0.1", "port": int(port), "device": "d1", "weight": 1.0,
                        "replication_ip": "127.0.0.1", "replication_port": int(port)})
                    builder.rebalance()
                    builder.get_ring().save(path)
                """,
                .. stores.SelectMany(store => new[] { Path.Combine(_home, store.Name + ".ring.gz"), Text(store.Port) }),
            ]
        );

    private async Task StartStoreAsync(string name, int port)
    {
        var file = Path.Combine(_home, name + "-server.conf");
        await File.WriteAllTextAsync(
            file,
            $"""
            [DEFAULT]
            bind_ip = 127.0.0.1
            bind_port = {port}
            user = {Environment.UserName}
            swift_dir = {_home}
            devices = {_home}/devices
            mount_check = false
            workers = 0
            fallocate_reserve = 0
            log_udp_host = 127.0.0.1
            log_udp_port = 9
            [pipeline:main]
            pipeline = {name}-server
            [app:{name}-server]
            use = egg:swift#{name}
            conn_timeout = 30
            node_timeout = 60
            """
        );
        Start($"swift-{name}-server", file);
    }

    private void Start(string program, params string[] args)
    {
        var process = Process.Start(new ProcessStartInfo(program, args) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _processes.Add(process);
    }

    private static async Task RunAsync(string program, params string[] args)
    {
        using var process = Process.Start(new ProcessStartInfo(program, args) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = await process.StandardOutput.ReadToEndAsync() + await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, output);
    }

    private int HoldPort()
    {
        var address = LoopbackAddress.Hold();
        _held.Add(address);
        return address.Port;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
