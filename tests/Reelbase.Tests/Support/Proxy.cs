using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.RegularExpressions;
using Reelbase.Simulators;

namespace Reelbase.Tests.Support;

/// <summary>Debian's nginx or Caddy in front of nodes, with a site from <c>deploy/</c> or a test's own; of an example only addresses and certificates are changed.</summary>
public sealed partial class Proxy : IAsyncDisposable
{
    private static int _clients;

    private readonly LoopbackAddress _plain = LoopbackAddress.Hold();
    private readonly LoopbackAddress _secure = LoopbackAddress.Hold();
    private readonly StringBuilder _said = new();
    private readonly string _home = Path.Combine(TestCluster.Home, "proxy-" + Guid.NewGuid().ToString("N")[..8]);
    private readonly List<SocketsHttpHandler> _lines = [];
    private Process? _process;

    private Proxy() => Directory.CreateDirectory(_home);

    /// <summary>Where clients of this proxy come from, so that what is kept by address is theirs.</summary>
    public string ClientAddress { get; } = $"127.0.9.{Interlocked.Increment(ref _clients)}";

    /// <summary>The port of https.</summary>
    public int SecurePort => _secure.Port;

    /// <summary>The port of http.</summary>
    public int PlainPort => _plain.Port;

    /// <summary>Starts an example of <c>deploy/</c>; its nodes' addresses stand for these.</summary>
    public static Task<Proxy> ExampleAsync(string file, string url, params (string Example, string Node)[] nodes)
    {
        var site = File.ReadAllText(Repository.PathOf("deploy/" + file));
        foreach (var (example, node) in nodes)
        {
            Assert.Contains(example, site, StringComparison.Ordinal);
            site = site.Replace(example, node, StringComparison.Ordinal);
        }
        return StartAsync(file.StartsWith("caddy/", StringComparison.Ordinal), site, url);
    }

    /// <summary>Starts a site that listens on 80, 443 or both, and waits until it answers at an address.</summary>
    public static async Task<Proxy> StartAsync(bool isCaddy, string site, string url)
    {
        var proxy = new Proxy();
        try
        {
            proxy.Run(isCaddy ? proxy.Caddy(site) : proxy.Nginx(site));
            await proxy.WaitAsync(url);
            return proxy;
        }
        catch
        {
            await proxy.DisposeAsync();
            throw;
        }
    }

    private async Task WaitAsync(string url)
    {
        using var http = new HttpClient(Line(), disposeHandler: false) { Timeout = Patience.Span };
        await Eventually.IsAsync(
            async () =>
            {
                Assert.False(_process!.HasExited, $"the proxy ended: {Said}");
                try
                {
                    using var answer = await http.GetAsync(new Uri($"{url}/health/live"));
                    return true;
                }
                catch (Exception error) when (error is HttpRequestException or TaskCanceledException)
                {
                    return false;
                }
            },
            answers => answers
        );
    }

    /// <summary>How a phone reaches it, whatever the name: over HTTP/2 where there is TLS.</summary>
    /// <param name="below">A sub-path that is put before every path.</param>
    public HttpMessageHandler Line(string below = "") => new BelowPath(Connections(), below);

    /// <summary>The same for sockets.</summary>
    public HttpMessageInvoker Sockets() => new(Connections(), disposeHandler: false);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _lines.ForEach(line => line.Dispose());
        if (_process is not null)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
            _process.Dispose();
        }
        _plain.Dispose();
        _secure.Dispose();
    }

    private string Said
    {
        get
        {
            lock (_said)
            {
                return _said.ToString();
            }
        }
    }

    private SocketsHttpHandler Connections()
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.All,
            // Certificates are made for the test: for the right name, by nobody whom a machine trusts.
            SslOptions =
            {
                RemoteCertificateValidationCallback = (_, _, _, errors) => errors is SslPolicyErrors.None or SslPolicyErrors.RemoteCertificateChainErrors,
            },
            ConnectCallback = async (context, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                socket.Bind(new IPEndPoint(IPAddress.Parse(ClientAddress), 0));
                await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port == 443 ? SecurePort : PlainPort, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        _lines.Add(handler);
        return handler;
    }

    private ProcessStartInfo Nginx(string site)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=a proxy of the tests", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("example.com");
        names.AddDnsName("*.example.com");
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(2));
        File.WriteAllText(Path.Combine(_home, "fullchain.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(_home, "privkey.pem"), key.ExportPkcs8PrivateKeyPem());
        site = Ipv6().Replace(site, "").Replace("listen 80", $"listen 127.0.0.1:{PlainPort}", StringComparison.Ordinal);
        site = site.Replace("listen 443", $"listen 127.0.0.1:{SecurePort}", StringComparison.Ordinal);
        site = Certificates().Replace(site, _home + "/");
        var file = Path.Combine(_home, "nginx.conf");
        // What Debian's own file says for http, and one process that a test can end.
        File.WriteAllText(
            file,
            $$"""
            daemon off;
            master_process off;
            pid {{_home}}/nginx.pid;
            error_log stderr;
            events {
                worker_connections 256;
            }
            http {
                access_log off;
                gzip on;
                default_type application/octet-stream;
                client_body_temp_path {{_home}}/body;
                proxy_temp_path {{_home}}/proxy;
                fastcgi_temp_path {{_home}}/fastcgi;
                uwsgi_temp_path {{_home}}/uwsgi;
                scgi_temp_path {{_home}}/scgi;
                {{site}}
            }
            """
        );
        return new(File.Exists("/usr/sbin/nginx") ? "/usr/sbin/nginx" : "nginx", ["-e", "stderr", "-p", _home, "-c", file]);
    }

    private ProcessStartInfo Caddy(string site)
    {
        var file = Path.Combine(_home, "Caddyfile");
        File.WriteAllText(
            file,
            $$"""
            {
            	admin off
            	local_certs
            	skip_install_trust
            	http_port {{PlainPort}}
            	https_port {{SecurePort}}
            	default_bind 127.0.0.1
            	servers {
            		protocols h1 h2
            	}
            }
            {{site}}
            """
        );
        return new("caddy", ["run", "--config", file, "--adapter", "caddyfile"])
        {
            Environment =
            {
                ["HOME"] = _home,
                ["XDG_DATA_HOME"] = _home,
                ["XDG_CONFIG_HOME"] = _home,
            },
        };
    }

    private void Run(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    private void Keep(string? line)
    {
        lock (_said)
        {
            _said.AppendLine(line);
        }
    }

    [GeneratedRegex(@"(?m)^\s*listen \[::\].*\n")]
    private static partial Regex Ipv6();

    [GeneratedRegex("/etc/letsencrypt/live/[^/]+/")]
    private static partial Regex Certificates();

    private sealed class BelowPath(HttpMessageHandler inner, string below) : DelegatingHandler(inner)
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Version = HttpVersion.Version20;
            request.VersionPolicy = HttpVersionPolicy.RequestVersionOrLower;
            if (below.Length > 0)
            {
                request.RequestUri = new UriBuilder(request.RequestUri!) { Path = below + request.RequestUri!.AbsolutePath }.Uri;
            }
            return base.SendAsync(request, cancellationToken);
        }
    }
}
