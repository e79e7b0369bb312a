using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Reelbase.Dev.Running;

/// <summary>A server with its private PostgreSQL, and the simulators beside it, for as long as <c>run</c> lives.</summary>
internal sealed class Installation(RunOptions options, OperatorSettings settings)
{
    private const string ServerLog = "server.log";
    private const string ServerPid = "server.pid";
    private const string SimulatorLog = "simulators.log";
    private const string SimulatorPid = "simulators.pid";
    private const string NotKnownYet = "made at the first start";
    private const int ServerTries = 900;
    private const int SimulatorTries = 300;
    private const int ShownLines = 5;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly RunFolder _folder = new(Path.TrimEndingDirectorySeparator(Path.GetFullPath(options.Folder)));
    private Process? _server;
    private Process? _simulators;

    private PretendSystems Pretended => options.Pretended;
    private string KeyFile => _folder.File("keys/devicecheck-simulator.pem");
    private string Certificates => _folder.File("keys/apple-simulator");

    /// <summary>Says what would listen, what is pretended and what is proposed; starts nothing.</summary>
    public int Describe()
    {
        var (listen, _) = Propose(options.Lan is "" ? "ADDRESS" : options.Lan, NotKnownYet);
        Terminal.Say($"Listens: {listen}");
        Terminal.Say($"Pretended: {(Pretended.Any ? Pretended : "nothing")}");
        Pretended.FindOwnSettings(settings).ToList().ForEach(Terminal.Say);
        settings.Proposals.ToList().ForEach(Terminal.Say);
        return 0;
    }

    /// <summary>Starts everything and serves until it is stopped; whatever ends it, the children end first.</summary>
    public async Task<int> RunAsync(CancellationToken stop)
    {
        _folder.RefuseSecondRun(Environment.ProcessId);
        if (!_folder.IsRunning(ServerPid, SourceTree.ServerProgram))
        {
            await RefuseTakenPortAsync(options.Port);
        }
        await Builds.BuildServerAsync(stop);
        var addresses = options.Lan is { } lan ? await FindAddressesAsync(lan, stop) : [];
        Directory.CreateDirectory(_folder.Path);
        _folder.Claim(Environment.ProcessId);
        try
        {
            await TakeOverAsync(addresses.FirstOrDefault());
            return await ServeAsync(addresses, stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return 0;
        }
        finally
        {
            await StopAsync();
        }
    }

    private async Task TakeOverAsync(string? lanAddress)
    {
        await _folder.TakeOverAsync(ServerPid, SourceTree.ServerProgram);
        await _folder.TakeOverAsync(SimulatorPid, SourceTree.SimulatorsProgram);
        await RefuseTakenPortAsync(options.Port);
        if (lanAddress is not null)
        {
            await RefuseTakenPortAsync(options.Port, lanAddress);
        }
        if (Pretended.Any)
        {
            await RefuseTakenPortAsync(options.SimulatorPort);
        }
    }

    private async Task<int> ServeAsync(string[] addresses, CancellationToken stop)
    {
        var rootSha256 = Pretended.Any ? await PrepareKeysAsync(stop) : NotKnownYet;
        var (listen, publicUrl) = Propose(addresses.FirstOrDefault(), rootSha256);
        if (Pretended.Any)
        {
            _simulators = StartSimulators();
            _folder.WriteProcess(SimulatorPid, _simulators.Id);
        }
        // Settings that name files mean those of whoever calls, as with the other verbs.
        var start = Call.Dotnet(SourceTree.ServerProgram) with
        {
            Folder = Environment.CurrentDirectory,
            Variables = With("ASPNETCORE_URLS", listen),
        };
        _server = start.StartInBackground(_folder.File(ServerLog));
        _folder.WriteProcess(ServerPid, _server.Id);
        if (!await IsReadyAsync($"{options.Url}/health/ready", _server, ServerTries, stop))
        {
            ShowLast(ServerLog);
            throw Refusal.Fault($"the server did not start; its log is {_folder.File(ServerLog)} (is port {options.Port} in use? choose another with --port)");
        }
        if (_simulators is not null)
        {
            if (!await IsReadyAsync($"{options.SimulatorUrl}/_control/health", _simulators, SimulatorTries, stop))
            {
                ShowLast(SimulatorLog);
                throw Refusal.Fault($"the simulators did not start; their log is {_folder.File(SimulatorLog)} (is port {options.SimulatorPort} in use?)");
            }
            await PlayStoryAsync(publicUrl, stop);
            Terminal.Say(Pretended.AreAll ? $"Simulators: {options.SimulatorUrl}" : $"Simulators: {options.SimulatorUrl} ({Pretended}; all else is real)");
        }
        await SayAddressesAsync(addresses, publicUrl, stop);
        await _server.WaitForExitAsync(stop);
        if (_server.ExitCode != 0)
        {
            ShowLast(ServerLog);
            throw Refusal.Fault($"the server ended; its log is {_folder.File(ServerLog)}");
        }
        return 0;
    }

    private async Task SayAddressesAsync(string[] addresses, string publicUrl, CancellationToken stop)
    {
        Terminal.Say($"Console: {options.Url}/admin (sign in with what ./reelbase admin create --email you@example.com --data {_folder.Path} prints)");
        // For clients of Supabase: createClient(URL, ANON_KEY). Each start prints another one; all of them stay good for ten years.
        var makeKey = Call.Dotnet(SourceTree.ServerProgram, "admin", "anon-key") with
        {
            Variables = settings.Environment,
        };
        var (code, anonKey) = await makeKey.ReadAsync(stop, _folder.File(ServerLog));
        if (code == 0)
        {
            Terminal.Say($"Anon key: {anonKey}");
        }
        if (addresses.Length > 0)
        {
            var phone = settings.Given("Server__PublicUrl") ?? publicUrl;
            await Simulator("qr", phone).RunAsync(stop);
            Terminal.Say($"Phone: {phone} (everybody in this network reaches it; docs/ios.md says what the app needs)");
            if (addresses.Length > 1)
            {
                Terminal.Say($"Other addresses of this machine, for --lan: {string.Join(' ', addresses.Skip(1))}");
            }
        }
        Terminal.Say($"API: {options.Url}/functions/v1 (docs: {options.Url}/docs)");
        Terminal.Say($"Ready: {options.Url}");
    }

    /// <summary>A story is played with pretend systems only: with an operator's keys it might cost their money.</summary>
    private async Task PlayStoryAsync(string publicUrl, CancellationToken stop)
    {
        var own = Pretended.FindOwnSettings(settings).ToList();
        own.ForEach(Terminal.Say);
        if (own.Count > 0 || !Pretended.Has("fal", "runway", "devicecheck", "appstore", "apns"))
        {
            if (options.Story != StoryTime.Never)
            {
                Terminal.Say(
                    own.Count > 0
                        ? "No guest's story is played, because settings of yours are used"
                        : "No guest's story is played, because it needs fal, runway, devicecheck, appstore and apns to be pretended"
                );
            }
            return;
        }
        if (options.Story == StoryTime.Never)
        {
            return;
        }
        var played = options.Story == StoryTime.First ? Story.Recall(_folder, settings.Given("Server__PublicUrl") ?? publicUrl).ToList() : [];
        played.ForEach(Terminal.Say);
        if (played.Count == 0)
        {
            await Story.PlayAsync(_folder, options.Url, options.SimulatorUrl, settings.Environment, stop);
        }
    }

    /// <summary>What the server is proposed; answers where it listens and what it calls itself.</summary>
    private (string Listen, string PublicUrl) Propose(string? lanAddress, string rootSha256)
    {
        settings.UseFolder(_folder.Path);
        var (listen, publicUrl) = (options.Url, options.Url);
        if (lanAddress is not null)
        {
            publicUrl = $"http://{lanAddress}:{options.Port}";
            listen = publicUrl == options.Url ? listen : $"{listen};{publicUrl}";
            // Behind an operator's own list, which begins at 0: also when PublicUrl is theirs the phone may use the address.
            settings.Propose("Server__AllowedHosts__90", lanAddress);
        }
        settings.Propose("Server__PublicUrl", publicUrl);
        // Pretend Apple takes any device that is named to it; true Apple's word is not gone round unless an operator says so.
        if (settings.Variable("ASPNETCORE_ENVIRONMENT") == "Development" && Pretended.Has("devicecheck"))
        {
            settings.Propose("DeviceCheck__AcceptIosSimulators", "true");
        }
        Pretended.Propose(settings, options.SimulatorUrl, _folder.Path, KeyFile, rootSha256);
        return (settings.Variable("ASPNETCORE_URLS") ?? listen, publicUrl);
    }

    /// <summary>The address to listen at, then the others of this machine.</summary>
    private async Task<string[]> FindAddressesAsync(string given, CancellationToken stop)
    {
        var (code, output) = await Simulator(given.Length == 0 ? ["lan"] : ["lan", given]).ReadAllAsync(stop);
        return code == 0 ? output.Split('\n') : throw Refusal.Fault(output);
    }

    /// <summary>Keys of pretend Apple; its root certificate has to be known before the server starts, and is kept, so that purchases stay believable. Answers its SHA-256.</summary>
    private async Task<string> PrepareKeysAsync(CancellationToken stop)
    {
        Directory.CreateDirectory(_folder.File("keys"));
        if (!File.Exists(KeyFile) || new FileInfo(KeyFile).Length == 0)
        {
            var (made, key) = await Simulator("key").ReadAsync(stop);
            if (made != 0)
            {
                throw Refusal.Fault($"could not make a key for the simulators in {_folder.File("keys")}");
            }
            File.Delete(KeyFile + ".new");
            var owner = new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            };
            await using (var file = new StreamWriter(KeyFile + ".new", owner))
            {
                await file.WriteAsync(key + "\n");
            }
            File.Move(KeyFile + ".new", KeyFile, overwrite: true);
        }
        var (code, rootSha256) = await Simulator("apple", Certificates).ReadAsync(stop);
        return code == 0 ? rootSha256 : throw Refusal.Fault($"could not make pretend Apple's certificates in {Certificates}");
    }

    private Process StartSimulators()
    {
        List<string> words = ["--urls", options.SimulatorUrl, "--Apple:CertificatesDirectory", Certificates, "--Apple:KeyFile", KeyFile];
        words.AddRange(["--Apple:ServerUrl", options.Url]);
        foreach (var name in (string[])["BundleId", "AppAppleId", "IssuerId"])
        {
            if (settings.Given($"AppStore__{name}") is { } value)
            {
                words.AddRange([$"--Apple:{name}", value]);
            }
        }
        // A real phone's token is sealed for true Apple; pretend Apple takes it as a device of its own.
        words.AddRange(["--DeviceCheck:TakesRealTokens", options.ServesPhone ? "true" : "false"]);
        return Simulator([.. words]).StartInBackground(_folder.File(SimulatorLog));
    }

    private Call Simulator(params string[] words) => Call.Dotnet([SourceTree.SimulatorsProgram, .. words]) with { Variables = settings.Environment };

    private Dictionary<string, string> With(string name, string value) => new(settings.Environment) { [name] = value };

    private async Task StopAsync()
    {
        // The server first: what it has under way may still need the others.
        foreach (var process in (Process?[])[_server, _simulators])
        {
            if (process is not null)
            {
                await Call.EndAsync(process);
                process.Dispose();
            }
        }
        foreach (var file in (string[])[ServerPid, SimulatorPid, "run.pid"])
        {
            _folder.Remove(file);
        }
    }

    private void ShowLast(string log) => File.ReadLines(_folder.File(log)).TakeLast(ShownLines).ToList().ForEach(Terminal.Note);

    /// <summary>Whoever listens there already would answer in our server's place, and its "ready" would be taken for ours.</summary>
    private static async Task RefuseTakenPortAsync(int port, string address = "127.0.0.1")
    {
        using TcpClient client = new();
        try
        {
            await client.ConnectAsync(IPAddress.Parse(address), port);
        }
        catch (SocketException)
        {
            return;
        }
        throw Refusal.Fault($"another program listens on port {port} already (another ./reelbase run?): stop it, or choose another port with --port");
    }

    private static async Task<bool> IsReadyAsync(string url, Process process, int tries, CancellationToken stop)
    {
        using HttpClient http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(2) };
        for (var tried = 0; tried < tries && !process.HasExited; tried++)
        {
            try
            {
                using var answer = await http.GetAsync(new Uri(url), stop);
                if (answer.IsSuccessStatusCode)
                {
                    return true;
                }
            }
            catch (Exception fault) when (fault is HttpRequestException || (fault is TaskCanceledException && !stop.IsCancellationRequested))
            {
                // Not yet.
            }
            await Task.Delay(Pause, stop);
        }
        return false;
    }
}
