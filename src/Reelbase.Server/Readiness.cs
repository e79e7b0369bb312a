using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Npgsql;
using Reelbase.Server.Features.Files;
using Reelbase.Server.Features.Moderation;
using Reelbase.Server.Features.Notifications.Alerts;
using Reelbase.Server.Integrations;
using Reelbase.Server.Integrations.Apple.Apns;
using Reelbase.Server.Integrations.Apple.AppStore;
using Reelbase.Server.Integrations.Apple.DeviceCheck;
using Reelbase.Server.Integrations.Apple.SignIn;
using Reelbase.Server.Integrations.Telegram;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Storage;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server;

/// <summary>
/// What this node needs, one by one. The question is open to everybody and passes the flood gate, so however many ask, the database and the storage are asked once a second
/// at most, also while they fail; and no answer that says ready is older than that.
/// </summary>
[SuppressMessage("Performance", "CA1812", Justification = "Made by the container.")]
internal sealed class Readiness(
    WorkerDatabase database,
    ApiDatabase api,
    IOptions<ServerOptions> server,
    VideoProviders providers,
    IFileStore files,
    StorageQuota quota,
    IOptions<UploadsOptions> uploads,
    IOptions<DeviceCheckOptions> deviceCheck,
    IOptions<AppStoreOptions> appStore,
    IOptions<AppleSignInOptions> appleSignIn,
    IOptions<ApnsOptions> push,
    IOptions<StorageOptions> storageOptions,
    IOptions<ModerationOptions> moderation,
    IOptions<TelegramOptions> telegram,
    IOptions<AlertsOptions> alerts,
    StoreGuard storeGuard,
    OutsideSystems outside,
    ForwardingMonitor forwarding,
    NodeReady ready,
    TimeProvider clock
)
{
    private static readonly TimeSpan ProbeLimit = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan GoodFor = TimeSpan.FromSeconds(1);

    private const string StorageName = "storage";

    private static readonly JsonSerializerOptions WordsAsStored = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private static readonly object Program = new
    {
        version = ProgramVersion.Release,
        commit = ProgramVersion.Commit,
        schema = ProgramVersion.Schema,
    };

    /// <summary>That the database has let the api's role in once. Not asked again: in a crowd its connections are the users'.</summary>
    private volatile bool _isApiLetIn;

    private readonly SharedResponse<(int Status, object Body)> _answer = new(GoodFor, clock);

    /// <summary>The status and the body of the answer.</summary>
    public Task<(int Status, object Body)> GetAsync() => _answer.GetAsync(AskAsync);

    private async Task<(long AskedAt, (int Status, object Body) Response)> AskAsync()
    {
        string? storage = null;
        while (true)
        {
            var askedAt = clock.GetTimestamp();
            var (state, known) = await AskDatabaseAsync();
            if (state != "ok")
            {
                return (
                    askedAt,
                    (
                        503,
                        new
                        {
                            status = "not_ready",
                            database = state,
                            program = Program,
                        }
                    )
                );
            }
            storage ??= await ProbeStorageAsync();
            // A storage that hangs must not make what the database said old.
            if (clock.GetElapsedTime(askedAt) < GoodFor)
            {
                ready.Note();
                return (askedAt, (200, Describe(storage, known!)));
            }
        }
    }

    private object Describe(string storage, DatabaseState known)
    {
        var failing = known.Failing.Split(',', StringSplitOptions.RemoveEmptyEntries);
        var room =
            quota.IsDiskShort ? StorageQuota.DiskShort
            : known.UploadsAreFull ? StorageQuota.UploadsFull
            : "ok";
        return new
        {
            status = storage == "ok" && room == "ok" && failing.Length == 0 ? "ready" : "degraded",
            database = "ok",
            storage,
            room,
            providers = providers.All.Select(provider => provider.Name),
            failing_providers = failing,
            device_check = Say(deviceCheck.Value.IsConfigured),
            app_store = Say(appStore.Value.CanAsk),
            apple_sign_in = Say(appleSignIn.Value.CanVerify),
            push = Say(push.Value.IsConfigured),
            program = Program,
            installation = known.Installation,
            outside = DescribeOutside(JsonSerializer.Deserialize<List<SystemHealth>>(known.Outside, WordsAsStored)!),
            warnings = forwarding.Last is null ? [] : (string[])[ForwardingMonitor.Warning],
        };
    }

    /// <summary>What was last heard from each system that this node's configuration asks for, here or at another node. None of it makes a node less ready.</summary>
    private Dictionary<string, object> DescribeOutside(List<SystemHealth> stored) =>
        Asked()
            .ToDictionary(
                asked => asked.System,
                asked =>
                {
                    var word = outside.Find(asked.System);
                    word = stored.Find(one => one.System == asked.System) is { } known ? known.Merge(word) : word;
                    return (object)
                        new
                        {
                            state = !asked.IsOn ? "off"
                            : word.IsWell is not { } isWell ? "not_heard"
                            : isWell ? "ok"
                            : "failing",
                            last_success_at = word.LastSuccessAt,
                            last_failure_at = word.LastFailureAt,
                            last_failure = word.LastFailure,
                        };
                }
            );

    private IEnumerable<(string System, bool IsOn)> Asked() =>
        [
            ("device_check", deviceCheck.Value.IsConfigured),
            ("app_store", appStore.Value.CanAsk),
            ("apple_sign_in", appleSignIn.Value.CanVerify),
            (ApnsClient.SystemName, push.Value.IsConfigured),
            .. providers.All.Select(provider => (provider.Name, true)),
            (StorageName, true),
            (FileScanner.SystemName, storageOptions.Value.ScannerAddress is { Length: > 0 }),
            ("moderation", moderation.Value.ServiceUrl is { Length: > 0 }),
            ("telegram", telegram.Value.IsConfigured),
            ("alert_webhook", alerts.Value.WebhookUrl is { Length: > 0 }),
        ];

    private async Task<(string State, DatabaseState? Known)> AskDatabaseAsync()
    {
        // Its own limit and nobody's request: whoever hangs up must not end what others wait for.
        using var limit = new CancellationTokenSource(ProbeLimit, clock);
        try
        {
            var state = await database.QuerySingleOrDefaultAsync<DatabaseState>(
                "select current_setting('transaction_read_only') = 'on' as is_read_only, array_to_string(array(select provider from list_outages()), ',') as failing,"
                    + " uploads_are_full($1::bigint, $2::bigint), (select left(encode(sha256(i.id::text::bytea), 'hex'), 16) from get_installation() i) as installation,"
                    + " (select coalesce(jsonb_agg(to_jsonb(o)), '[]')::text from list_outside_systems() o) as outside",
                limit.Token,
                uploads.Value.InstallationBytes,
                uploads.Value.MaxBytes
            );
            if (!state!.IsReadOnly)
            {
                // A wrong password of the role that serves would have every call fail.
                _isApiLetIn = _isApiLetIn || !server.Value.Has("api") || await api.IsWritableAsync(limit.Token);
                return _isApiLetIn ? ("ok", state) : ("read_only", null);
            }
            database.Leave();
            return ("read_only", null);
        }
        catch (Exception error) when (error is NpgsqlException or OperationCanceledException)
        {
            return ("unreachable", null);
        }
    }

    private async Task<string> ProbeStorageAsync()
    {
        using var limit = new CancellationTokenSource(ProbeLimit, clock);
        try
        {
            await files.ExistsAsync("videos", "health-probe", limit.Token);
            if (!await storeGuard.IsOursAsync(limit.Token))
            {
                outside.Failed(StorageName, "another installation's folder");
                return "not_ours";
            }
            outside.Heard(StorageName);
            return "ok";
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or NpgsqlException)
        {
            outside.Failed(StorageName, error is OperationCanceledException ? "no answer in time" : error.GetType().Name);
            return "unreachable";
        }
    }

    private static string Say(bool isOn) => isOn ? "ok" : "off";

    private sealed record DatabaseState(bool IsReadOnly, string Failing, bool UploadsAreFull, string Installation, string Outside);
}
