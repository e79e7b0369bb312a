using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Reelbase.Server;
using Reelbase.Server.Features.Admin;
using Reelbase.Server.Features.Credits.PromoCodes;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Media;
using Reelbase.Server.Platform.Security;
using Reelbase.Server.Platform.Work;
using Reelbase.Simulators;
using Reelbase.Simulators.Apple;

namespace Reelbase.Tests.Support;

/// <summary>The whole product on loopback: its own database, the server with its unprivileged roles, and the simulators.</summary>
public partial class TestSystem : IAsyncLifetime
{
    /// <summary>The developer's key, good for every service of pretend Apple.</summary>
    public static readonly string DeviceKey = NewDeviceKey();

    /// <summary>The app that is sold.</summary>
    public const string BundleId = "com.example.reelbase";

    private const string Team = "SIMULATED1";

    // The server's settings name its own address, and the simulators call it there: known before the first start, kept over restarts.
    private readonly LoopbackAddress _address = LoopbackAddress.Hold();

    /// <summary>The database's owner, for reading what roles may not. The server never has it.</summary>
    public string Owner { get; private set; } = "";

    /// <summary>Connection strings of the server's roles.</summary>
    public ConnectionStrings Strings { get; private set; } = null!;

    /// <summary>Where the server listens; the same after each restart.</summary>
    public string Url => _address.Url;

    /// <summary>Where the simulators listen.</summary>
    public string SimulatorsUrl { get; private set; } = "";

    /// <summary>The running server.</summary>
    public WebApplication Server { get; private set; } = null!;

    /// <summary>The running simulators.</summary>
    public WebApplication Simulators { get; private set; } = null!;

    /// <summary>Talks to the simulators' control calls.</summary>
    public HttpClient Control { get; private set; } = null!;

    /// <summary>Pretend Apple, as a test works it.</summary>
    public Apple PretendApple => new(Control);

    /// <summary>Files of the server.</summary>
    public string DataDirectory { get; private set; } = "";

    /// <summary>Settings that differ from the defaults of the tests.</summary>
    protected virtual Dictionary<string, string?> Settings => [];

    /// <summary>Modules that join those of the product.</summary>
    protected virtual IReadOnlyList<Reelbase.Server.Platform.Modules.IModule> MoreModules => [];

    /// <summary>Whether the admin side is served too; most tests start sooner without it.</summary>
    protected virtual bool HasConsole => false;

    /// <summary>Whether videos are read and get thumbnails; two more processes for each, which most tests are not about.</summary>
    protected virtual bool HasMediaTools => false;

    /// <summary>Whether the pretend providers draw each video, where pictures of the console are made; a recorded one is as real.</summary>
    protected virtual bool DrawsVideos => false;

    /// <summary>Passwords of admins. Hundreds are hashed in a run, so few rounds do, except where the hashes are what a test is about.</summary>
    protected virtual AdminPasswords Passwords { get; } = new(rounds: 1000);

    /// <summary>More of the outside world, beside the simulators.</summary>
    protected virtual void MapMore(WebApplication simulators) { }

    /// <summary>More for the simulators.</summary>
    protected virtual IReadOnlyList<string> MoreSimulatorArguments => [];

    /// <summary>Parts of the server that a test brings in place of its own.</summary>
    protected virtual void Bring(IServiceCollection services) { }

    /// <summary>How long the pretend provider takes for a video.</summary>
    protected virtual double VideoSeconds => 0.3;

    /// <summary>The database it runs on; a fresh copy of the template unless a test brings its own.</summary>
    protected virtual Task<string> PrepareDatabaseAsync() => TestCluster.CloneAsync();

    /// <inheritdoc/>
    public virtual async ValueTask InitializeAsync()
    {
        Owner = await PrepareDatabaseAsync();
        DataDirectory = Path.Combine(TestCluster.Home, "files-" + Guid.NewGuid().ToString("N")[..8]);
        Simulators = SimulatorApp.Build([
            "--urls",
            AnyPort,
            "--Fal:Seconds",
            VideoSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture),
            "--Apple:Key",
            DeviceKey,
            "--Apple:ServerUrl",
            Url,
            "--Videos:Recorded",
            DrawsVideos ? "false" : "true",
            "--Silence:Seconds",
            "2",
            .. MoreSimulatorArguments,
        ]);
        Directory.CreateDirectory(DataDirectory);
        await File.WriteAllBytesAsync(RootFile(DataDirectory), Simulators.Services.GetRequiredService<AppleAuthority>().Root.RawData);
        MapMore(Simulators);
        await Simulators.StartAsync();
        SimulatorsUrl = AddressOf(Simulators);
        Control = new HttpClient { BaseAddress = new Uri(SimulatorsUrl) };
        UseDatabase(Owner);
        await StartServerAsync();
    }

    /// <summary>The database that the next start of the server uses.</summary>
    protected void UseDatabase(string owner)
    {
        Owner = owner;
        Strings = ConnectionStrings.From(
            new DatabaseOptions
            {
                MaxPoolSize = 16,
                ConnectTimeoutSeconds = TestCluster.PatienceSeconds,
                CommandTimeoutSeconds = TestCluster.PatienceSeconds,
            },
            owner
        );
    }

    /// <inheritdoc/>
    public virtual async ValueTask DisposeAsync()
    {
        // Whatever of it was started: a failed start shows its own error and not this one's.
        if (Server is not null)
        {
            await Server.StopAsync();
            await Server.DisposeAsync();
        }
        await (Simulators?.DisposeAsync() ?? default);
        Control?.Dispose();
        _address.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Stops the server of a test's own and starts it anew on the same database, with other settings. One that is shared gets <see cref="WithSettingsAsync"/>.</summary>
    public async Task RestartServerAsync(Dictionary<string, string?>? more = null)
    {
        await Server.StopAsync();
        await Server.DisposeAsync();
        await StartServerAsync(more);
    }

    /// <summary>Starts the server anew with other settings, and with the usual ones at the end of the test.</summary>
    public async Task<Planted> WithSettingsAsync(Dictionary<string, string?> more)
    {
        var planted = new Planted(() => RestartServerAsync());
        await RestartServerAsync(more);
        return planted;
    }

    /// <summary>Stops the server; it is started again at the end of the test or before.</summary>
    public async Task<Planted> StopServerAsync()
    {
        await Server.StopAsync();
        await Server.DisposeAsync();
        return new(() => StartServerAsync());
    }

    /// <summary>Everything that the server needs to know, as configuration keys.</summary>
    public static Dictionary<string, string?> BaseSettings(string url, string simulators, string dataDirectory) =>
        new()
        {
            ["Server:PublicUrl"] = url,
            ["Server:Roles:0"] = "api",
            ["Server:Roles:1"] = "worker",
            ["Server:DataDirectory"] = dataDirectory,
            ["Database:ConnectTimeoutSeconds"] = TestCluster.PatienceSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture),
            // A test may stand still between opening a socket and joining with it.
            ["Realtime:WithoutUserSeconds"] = "600",
            ["Fal:ApiKey"] = "sim:key",
            ["Fal:UserId"] = "user_sim",
            ["Fal:QueueUrl"] = $"{simulators}/fal",
            ["Fal:JwksUrl"] = $"{simulators}/fal/.well-known/jwks.json",
            ["Fal:Concurrency"] = "40",
            ["Fal:SubmitTimeoutSeconds"] = Patience.ServerSeconds,
            ["Fal:ReadTimeoutSeconds"] = Patience.ServerSeconds,
            ["Fal:TotalTimeoutSeconds"] = "120",
            ["Fal:RetryBaseSeconds"] = "0.05",
            ["Fal:RetryCapSeconds"] = "0.3",
            ["Fal:BreakerMinCalls"] = "1000",
            ["Fal:AccountPauseSeconds"] = "0.5",
            ["Pika:Concurrency"] = "40",
            ["Pika:SubmitTimeoutSeconds"] = Patience.ServerSeconds,
            ["Pika:ReadTimeoutSeconds"] = Patience.ServerSeconds,
            ["Pika:TotalTimeoutSeconds"] = "120",
            ["Pika:RetryBaseSeconds"] = "0.05",
            ["Pika:BreakerMinCalls"] = "1000",
            ["Pika:AccountPauseSeconds"] = "0.5",
            ["Runway:ApiKey"] = "sim_key",
            ["Runway:BaseUrl"] = $"{simulators}/runway",
            ["Runway:Concurrency"] = "40",
            ["Runway:SubmitTimeoutSeconds"] = Patience.ServerSeconds,
            ["Runway:ReadTimeoutSeconds"] = Patience.ServerSeconds,
            ["Runway:TotalTimeoutSeconds"] = "120",
            ["Runway:RetryBaseSeconds"] = "0.05",
            ["Runway:MinPollSeconds"] = "0.2",
            ["Runway:BreakerMinCalls"] = "1000",
            ["Runway:AccountPauseSeconds"] = "0.5",
            ["DeviceCheck:BaseUrl"] = $"{simulators}/devicecheck",
            ["DeviceCheck:TimeoutSeconds"] = Patience.ServerSeconds,
            ["DeviceCheck:TeamId"] = Team,
            ["DeviceCheck:KeyId"] = Team,
            ["DeviceCheck:PrivateKey"] = DeviceKey,
            ["AppStore:BundleId"] = BundleId,
            ["AppStore:AppAppleId"] = "1234567890",
            ["AppStore:RootCertificateFile"] = RootFile(dataDirectory),
            ["AppStore:RootSha256"] = Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(RootFile(dataDirectory)))),
            ["AppStore:IssuerId"] = "5a1e0f6c-1111-4000-8000-000000000001",
            ["AppStore:KeyId"] = Team,
            ["AppStore:PrivateKey"] = DeviceKey,
            ["AppStore:ProductionUrl"] = $"{simulators}/appstore/production",
            ["AppStore:SandboxUrl"] = $"{simulators}/appstore/sandbox",
            ["AppStore:TimeoutSeconds"] = Patience.ServerSeconds,
            ["AppStore:RetryBaseSeconds"] = "0.05",
            ["AppleSignIn:ClientIds:0"] = BundleId,
            ["AppleSignIn:BaseUrl"] = $"{simulators}/apple-id",
            ["AppleSignIn:TeamId"] = Team,
            ["AppleSignIn:KeyId"] = Team,
            ["AppleSignIn:PrivateKey"] = DeviceKey,
            // A machine that is busy with other tests, or stands still for a while, must not look like Apple or a provider being away.
            ["AppleSignIn:TimeoutSeconds"] = Patience.ServerSeconds,
            ["AppleSignIn:KeysRefreshSeconds"] = "0",
            ["AppleSignIn:RetryBaseSeconds"] = "0.1",
            ["AppleSignIn:RetryCapSeconds"] = "1",
            ["Telegram:BotToken"] = "a-token-that-may-not-be-logged",
            ["Telegram:ChatId"] = "1",
            ["Telegram:BaseUrl"] = $"{simulators}/telegram",
            ["Alerts:MinSecondsBetween"] = "0.3",
            ["Apns:Topic"] = BundleId,
            ["Apns:TimeoutSeconds"] = Patience.ServerSeconds,
            ["Apns:TeamId"] = Team,
            ["Apns:KeyId"] = Team,
            ["Apns:PrivateKey"] = DeviceKey,
            ["Apns:ProductionUrl"] = $"{simulators}/apns",
            ["Apns:SandboxUrl"] = $"{simulators}/apns/sandbox",
            ["Purchases:FailedClaimsPerWindow"] = "-1",
            ["Purchases:RetryBaseSeconds"] = "0.2",
            ["Purchases:RetryCapSeconds"] = "1",
            ["Purchases:ReconcileLookSeconds"] = "0.5",
            ["Purchases:ReconcileCallsPerSecond"] = "1000",
            ["Devices:ThrottleRiskScore"] = "101",
            ["Devices:BlockRiskScore"] = "101",
            ["Downloads:AllowedPrivateEndpoints:0"] = new Uri(simulators).Authority,
            ["Generation:GuestPerWindow"] = "-1",
            ["Generation:GuestsPerAddressPerWindow"] = "-1",
            ["Generation:QueueDeadlineSeconds"] = Patience.NoDeadlineSeconds,
            ["Generation:SubmissionDeadlineSeconds"] = Patience.NoDeadlineSeconds,
            ["Generation:RetryBaseSeconds"] = "0.05",
            ["Generation:RetryCapSeconds"] = "0.5",
            ["Generation:PollSeconds"] = "0.2",
            ["Generation:PollWithWebhookSeconds"] = "1",
            ["Generation:MaxPollSeconds"] = "1",
            ["Devices:NewDevicesPerWindow"] = "-1",
            // A phone that waits for its turn longer than this gets its session without credits, and a moderated press is refused.
            ["Devices:MaxWaitSeconds"] = Patience.ServerSeconds,
            ["Devices:TurnSeconds"] = "120",
            ["Moderation:TimeoutSeconds"] = Patience.ServerSeconds,
            ["Moderation:PictureTimeoutSeconds"] = Patience.ServerSeconds,
            ["Supabase:StatementTimeoutSeconds"] = "60",
            ["Realtime:JoinTimeoutSeconds"] = "9.5",
            ["Alerts:TimeoutSeconds"] = Patience.ServerSeconds,
            ["Database:CommandTimeoutSeconds"] = TestCluster.PatienceSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["Flood:RequestsPerSecond"] = "0",
            ["Logging:LogLevel:Default"] = "Error",
            ["Work:IdleMilliseconds"] = "500",
            ["Work:DrainSeconds"] = Patience.ServerSeconds,
        };

    private static string RootFile(string dataDirectory) => Path.Combine(dataDirectory, "apple-root.cer");

    /// <summary>Where a server of a test listens: on a port of the system's choice, which <see cref="AddressOf"/> reads back.</summary>
    public const string AnyPort = "http://127.0.0.1:0";

    /// <summary>Where a started server listens.</summary>
    public static string AddressOf(WebApplication app) => app.Urls.First();

    /// <summary>A client of the server with nobody signed in.</summary>
    public HttpClient Anybody() => new() { BaseAddress = new Uri(Url) };

    /// <summary>A new guest with their ten credits.</summary>
    public Task<Phone> NewGuestAsync() => Phone.OnboardAsync(Url);

    /// <summary>A guest with as many credits as a test needs, given by the operator's function.</summary>
    public async Task<Phone> NewGuestAsync(int credits)
    {
        var phone = await NewGuestAsync();
        if (credits > 10)
        {
            await QueryAsync<string>($"select add_credits('{phone.UserId}', {credits - 10}, 'admin_adjustment')::text");
        }
        else if (credits < 10)
        {
            await QueryAsync<string>($"select deduct_credits('{phone.UserId}', {10 - credits}, 'admin_adjustment')::text");
        }
        return phone;
    }

    /// <summary>A promo code, as the server itself would store it.</summary>
    public Task<Guid> NewPromoCodeAsync(string code, int credits, int uses, string times = "null, null")
    {
        var normalized = PromoCode.Normalize(code)!;
        var hash = Convert.ToHexStringLower(PromoCode.Hash(Server.Services.GetRequiredService<Keys>(), normalized));
        return QueryAsync<Guid>($"select create_promo_code(null, 'a test', '{hash}', '{PromoCode.Hint(normalized)}', 'a test', {credits}, {uses}, {times})");
    }

    /// <summary>An admin as <c>./reelbase admin create</c> makes one, without the seconds that its process takes.</summary>
    public async Task<NewAdmin> NewAdminAsync(string email, string? role = null)
    {
        await using var database = new AdminDatabase(Strings);
        return await new AdminCredentials(Server.Services.GetRequiredService<Keys>(), Passwords, TimeProvider.System).CreateAsync(database, email, role);
    }

    /// <summary>Fails when any user's ledger does not add up.</summary>
    public async Task AssertLedgerAsync() => Assert.Empty(await RowsAsync("select * from check_ledger()"));

    /// <summary>Lets the deadline of a job pass that has been handed over: no time of the machine's has to be short for it.</summary>
    public async Task PassDeadlineAsync(string jobId)
    {
        await Eventually.IsAsync(
            () => QueryAsync<string>($"select stage from video_jobs where job_id = '{jobId}'"),
            stage => stage is "submitted" or "ambiguous" or "finished"
        );
        await ExecuteAsync($"update video_jobs set deadline_at = now(), run_after = now() where job_id = '{jobId}' and stage <> 'finished'");
    }

    /// <summary>Waits until every grant has been decided.</summary>
    public Task<long> AssertEventuallyNoOpenGrantAsync() =>
        Eventually.IsAsync(() => QueryAsync<long>("select count(*) from device_grants where decided_at is null"), open => open == 0);

    /// <summary>What the pretend provider was asked for, by prompt.</summary>
    public async Task<List<JsonElement>> SubmissionsAsync(string prompt)
    {
        var answer = await Control.GetFromJsonAsync<JsonElement>("/_control/fal/requests");
        return answer
            .GetProperty("requests")
            .EnumerateArray()
            .Where(request => request.GetProperty("input").GetProperty("prompt").GetString() == prompt)
            .ToList();
    }

    /// <summary>Whatever of this prompt is at the pretend fal is done now; the next poll finds it so.</summary>
    public void FinishAtFal(string prompt)
    {
        foreach (
            var request in Simulators.Services.GetRequiredService<Reelbase.Simulators.Fal.FalState>().Requests.Values.Where(request => request.Prompt == prompt)
        )
        {
            request.Finish();
        }
    }

    private async Task StartServerAsync(Dictionary<string, string?>? more = null)
    {
        Server = BuildServer(new Dictionary<string, string?>(more ?? []) { ["urls"] = Url });
        await Server.StartAsync();
    }

    /// <summary>A server as configured here, not started: for its parts, or as a further node on a port of its own (<see cref="AddressOf"/>). Addresses of databases come from <paramref name="strings"/>, never from settings.</summary>
    public WebApplication BuildServer(
        Dictionary<string, string?>? more = null,
        string environment = "Development",
        TimeProvider? clock = null,
        ConnectionStrings? strings = null
    )
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = environment, ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.ClearProviders().AddProvider(new ServerErrors()).SetMinimumLevel(LogLevel.Error);
        var settings = BaseSettings(Url, SimulatorsUrl, DataDirectory);
        if (HasConsole)
        {
            settings["Server:Roles:2"] = "admin";
        }
        if (!HasMediaTools)
        {
            settings["Media:FfmpegFile"] = settings["Media:FfprobeFile"] = MediaOptions.None;
        }
        if (environment == "Production")
        {
            // The first node in Production would ask every user for consent from then on, also those of the other tests on this database.
            settings["Consent:Ai"] = "off";
        }
        foreach (var (key, value) in Settings.Concat(more ?? []))
        {
            settings[key] = value;
        }
        builder.Configuration.AddInMemoryCollection(settings);
        builder.Services.AddSingleton(Passwords);
        Bring(builder.Services);
        if (clock is not null)
        {
            builder.Services.AddSingleton(clock);
        }
        builder.Configuration["urls"] = settings.GetValueOrDefault("urls") ?? AnyPort;
        var server = ServerApp.Build(builder, strings ?? Strings, MoreModules);
        // Tests ask for their own paths first; background work need not wait for a question whether the node is ready.
        server.Services.GetRequiredService<NodeReady>().Note();
        return server;
    }

    private static string NewDeviceKey()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return key.ExportPkcs8PrivateKeyPem();
    }
}
