using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Reelbase.Server.Platform.Http;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Platform;

/// <summary>Addresses that a provider could name to make us reach what is not theirs. Whatever the form, no connection is made.</summary>
[Quick]
public sealed class HostileUrlTests : IAsyncLifetime
{
    private const int AtLeast = 200;

    /// <summary>Hosts that lead home, to the neighbours, or to the machine's own metadata.</summary>
    private static readonly string[] Addresses =
    [
        "127.0.0.1",
        "127.0.0.2",
        "127.255.255.254",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0x7F.0x0.0x0.0x1",
        "0177.0.0.1",
        "017700000001",
        "0x7f.0.1",
        "0",
        "0.0.0.0",
        "0.0.0.1",
        "10.0.0.1",
        "10.255.255.255",
        "012.1.2.3",
        "167772161",
        "100.64.0.1",
        "100.127.255.254",
        "169.254.0.1",
        "169.254.169.254",
        "169.254.170.2",
        "2852039166",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "172.16.0.1",
        "172.31.255.254",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "192.168.1.1",
        "3232235777",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::127.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::ffff:10.0.0.1]",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[::ffff:0:127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b:1::1]",
        "[100::1]",
        "[2001::1]",
        "[2001:db8::1]",
        "[2002:7f00:1::]",
        "[3fff::1]",
        "[5f00::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[fec0::1]",
        "[ff02::1]",
    ];

    /// <summary>Names of such places.</summary>
    private static readonly string[] Names =
    [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "localhost.localdomain",
        "ip6-localhost",
        "metadata.google.internal",
        "metadata",
        "kubernetes.default.svc",
        "db.internal",
        "router.lan",
        "127.0.0.1.rebind.example",
        "home.fal.media",
        "xn--lclhst-gxa.example",
    ];

    private static readonly string[] OtherSchemes =
    [
        "http://{0}/v.mp4",
        "http://files.fal.media/v.mp4",
        "file:///etc/passwd",
        "file://{0}/etc/passwd",
        "ftp://{0}/v.mp4",
        "gopher://{0}/1",
        "ws://{0}/v",
        "wss://{0}/v",
        "ldap://{0}/",
        "jar:https://{0}/v.mp4!/",
        "data:video/mp4;base64,AAAA",
        "javascript:alert(1)",
        "net.tcp://{0}/",
        "//{0}/v.mp4",
        "/etc/passwd",
        "v.mp4",
        "",
        " ",
        "https://",
        "https:///v.mp4",
        "https://%31%32%37.0.0.1/v.mp4",
        "https://127.0.0.1%00.fal.media/v.mp4",
        "https://fal.media@{0}/v.mp4",
        "https://fal.media:pass@{0}/v.mp4",
        "https://{0}#.fal.media",
        "https://{0}?.fal.media",
        "https://{0}\\.fal.media/v.mp4",
        "https://evilfal.media/v.mp4",
        "https://fal.media.evil.example/v.mp4",
        "https://ｆal.media.evil.example/v.mp4",
        "https://127。0。0。1/v.mp4",
        "https://①②⑦.⓪.⓪.①/v.mp4",
        "https://[::1%25lo]/v.mp4",
        "https://[fe80::1%25eth0]/v.mp4",
    ];

    /// <summary>Answers for names as configured, and writes down every connection instead of making it.</summary>
    private sealed class Watching(string allowed) : Dialer
    {
        public ConcurrentQueue<IPAddress> Reached { get; } = new();

        public ConcurrentDictionary<string, Queue<IPAddress[]>> Answers { get; } = new();

        public override Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
        {
            if (IPAddress.TryParse(host, out var literal))
            {
                return Task.FromResult<IPAddress[]>([literal]);
            }
            if (!Answers.TryGetValue(host, out var answers))
            {
                // Every other name leads home.
                return Task.FromResult<IPAddress[]>([IPAddress.Loopback]);
            }
            return Task.FromResult(answers.Count > 1 ? answers.Dequeue() : answers.Peek());
        }

        public override Task<Stream> ConnectAsync(IPAddress[] addresses, int port, CancellationToken cancellationToken)
        {
            if (new Uri(allowed).Port == port)
            {
                return base.ConnectAsync(addresses, port, cancellationToken);
            }
            foreach (var address in addresses)
            {
                Reached.Enqueue(address);
            }
            throw new SocketException((int)SocketError.HostUnreachable);
        }
    }

    private string _allowed = "";
    private WebApplication _redirector = null!;
    private string _target = "";
    private int _status = 302;
    private string _folder = "";

    public async ValueTask InitializeAsync()
    {
        _folder = Directory.CreateTempSubdirectory("reelbase-hostile").FullName;
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ResponseHeaderEncodingSelector = _ => System.Text.Encoding.UTF8);
        _redirector = builder.Build();
        _redirector.Urls.Add(TestSystem.AnyPort);
        // The one host that may be asked, and sends everybody on.
        _redirector.MapGet(
            "/{**path}",
            (HttpContext context) =>
            {
                context.Response.StatusCode = _status;
                context.Response.Headers.Location = _target;
            }
        );
        await _redirector.StartAsync();
        _allowed = TestSystem.AddressOf(_redirector);
    }

    public async ValueTask DisposeAsync()
    {
        await _redirector.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task None_of_them_is_reached_directly_by_redirect_or_through_an_allowed_name()
    {
        var tried = 0;
        var dialer = new Watching(_allowed);
        foreach (var host in Addresses.Concat(Names))
        {
            // The provider's list allows the very host: only the address check stands in the way.
            var bare = Uri.TryCreate($"https://{host}/", UriKind.Absolute, out var parsed) ? parsed.Host : host;
            foreach (var url in new[] { $"https://{host}/v.mp4", $"https://{host}:8443/latest/meta-data/", $"https://user:pass@{host}/v.mp4" })
            {
                await RefusedAsync(dialer, url, [host, bare]);
                tried++;
            }
            _target = $"https://{host}/v.mp4";
            _status = (tried % 5) switch
            {
                0 => 301,
                1 => 302,
                2 => 303,
                3 => 307,
                _ => 308,
            };
            await RefusedAsync(dialer, _allowed + "/v.mp4", [host, bare]);
            tried++;
        }
        foreach (var pattern in OtherSchemes)
        {
            foreach (var url in new[] { "127.0.0.1", "169.254.169.254", "[::1]" }.Select(host => string.Format(null, pattern, host)).Distinct())
            {
                await RefusedAsync(dialer, url, ["fal.media", "127.0.0.1", "169.254.169.254", "[::1]"]);
                _target = url;
                await RefusedAsync(dialer, _allowed + "/v.mp4", ["fal.media", "127.0.0.1", "169.254.169.254", "[::1]"]);
                tried += 2;
            }
        }
        Assert.True(tried >= AtLeast, $"only {tried}");
        Assert.Empty(dialer.Reached);
        Assert.Empty(Directory.EnumerateFiles(_folder));
        TestContext.Current.TestOutputHelper?.WriteLine($"{tried} hostile addresses, none reached");
    }

    [Fact]
    public async Task A_name_that_leads_to_a_public_and_a_private_address_is_not_tried_at_all()
    {
        foreach (var address in Addresses.Select(Literal).OfType<IPAddress>())
        {
            var dialer = new Watching(_allowed);
            dialer.Answers["files.fal.media"] = new([
                [IPAddress.Parse("8.8.8.8"), address],
            ]);
            await RefusedAsync(dialer, "https://files.fal.media/v.mp4", ["fal.media"]);
            Assert.Empty(dialer.Reached);
        }
    }

    [Fact]
    public async Task A_name_whose_answer_changes_is_connected_only_where_it_was_checked()
    {
        foreach (var address in Addresses.Select(Literal).OfType<IPAddress>())
        {
            var dialer = new Watching(_allowed);
            // Public when it is resolved, private for whoever would resolve it again.
            dialer.Answers["files.fal.media"] = new([
                [IPAddress.Parse("8.8.8.8")],
                [address],
            ]);
            using var downloads = New(dialer);
            var first = await Assert.ThrowsAsync<DownloadException>(() =>
                downloads.DownloadAsync("https://files.fal.media/v.mp4", ["fal.media"], Target, default)
            );
            Assert.True(first.MayRetry);
            await RefusedAsync(dialer, "https://files.fal.media/v.mp4", ["fal.media"]);
            Assert.All(dialer.Reached, reached => Assert.Equal("8.8.8.8", reached.ToString()));
        }
    }

    /// <summary>A dot at the end and capitals are the same host, on either side; the connection goes to the plain name.</summary>
    [Theory]
    [InlineData("https://files.fal.media./v.mp4", "fal.media")]
    [InlineData("https://FILES.Fal.Media/v.mp4", "fal.media")]
    [InlineData("https://files.fal.media/v.mp4?sig=a%2Fb", "FAL.Media.")]
    [InlineData("https://files.fal.media:443/v.mp4", "files.fal.media")]
    public async Task A_host_is_the_same_however_it_is_written(string url, string allowed)
    {
        var dialer = new Watching(_allowed);
        dialer.Answers["files.fal.media"] = new([
            [IPAddress.Parse("8.8.8.8")],
        ]);
        using var downloads = New(dialer);
        var error = await Assert.ThrowsAsync<DownloadException>(() => downloads.DownloadAsync(url, [allowed], Target, default));
        Assert.True(error.MayRetry, error.Message);
        Assert.Equal("8.8.8.8", Assert.Single(dialer.Reached).ToString());
    }

    [Theory]
    [InlineData("https://files.fal.media:8443/v.mp4")]
    [InlineData("https://files.fal.media:80/v.mp4")]
    [InlineData("https://files.fal.media.:22/v.mp4")]
    public async Task Another_port_than_the_schemes_own_is_refused_at_once(string url)
    {
        var dialer = new Watching(_allowed);
        dialer.Answers["files.fal.media"] = new([
            [IPAddress.Parse("8.8.8.8")],
        ]);
        await RefusedAsync(dialer, url, ["fal.media"]);
        _target = url;
        await RefusedAsync(dialer, _allowed + "/v.mp4", ["fal.media"]);
        Assert.Empty(dialer.Reached);
    }

    private string Target => Path.Combine(_folder, Guid.NewGuid().ToString());

    private async Task RefusedAsync(Dialer dialer, string url, string[] hosts)
    {
        using var downloads = New(dialer);
        var error = await Record.ExceptionAsync(() => downloads.DownloadAsync(url, hosts, Target, CancellationToken.None));
        Assert.True(error is DownloadException { MayRetry: false }, $"{url}: {error}");
    }

    private FileDownloader New(Dialer dialer) =>
        new(Options.Create(new DownloadOptions { AllowedPrivateEndpoints = [new Uri(_allowed).Authority], TimeoutSeconds = 60 }), dialer);

    private static IPAddress? Literal(string host) => IPAddress.TryParse(host.Trim('[', ']'), out var address) ? address : null;
}
