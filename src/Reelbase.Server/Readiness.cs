using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Options;
using Npgsql;
using Reelbase.Server.Features.Files;
using Reelbase.Server.Integrations;
using Reelbase.Server.Integrations.Apple.Apns;
using Reelbase.Server.Integrations.Apple.AppStore;
using Reelbase.Server.Integrations.Apple.DeviceCheck;
using Reelbase.Server.Integrations.Apple.SignIn;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Storage;

namespace Reelbase.Server;

/// <summary>
/// What this node needs, one by one. The question is open to everybody and passes the flood gate, so however many ask, the database and the storage are asked once a second
/// at most, also while they fail; and no answer that says ready is older than that.
/// </summary>
[SuppressMessage("Performance", "CA1812", Justification = "Made by the container.")]
internal sealed class Readiness(
    WorkerDatabase database,
    VideoProviders providers,
    IFileStore files,
    StorageRoom storageRoom,
    IOptions<UploadsOptions> uploads,
    IOptions<DeviceCheckOptions> deviceCheck,
    IOptions<AppStoreOptions> appStore,
    IOptions<AppleSignInOptions> appleSignIn,
    IOptions<ApnsOptions> push,
    TimeProvider clock
)
{
    private static readonly TimeSpan ProbeLimit = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan GoodFor = TimeSpan.FromSeconds(1);

    private readonly SharedAnswer<(int Status, object Body)> _answer = new(GoodFor, clock);

    /// <summary>The status and the body of the answer.</summary>
    public Task<(int Status, object Body)> GetAsync() => _answer.GetAsync(AskAsync);

    private async Task<(long AskedAt, (int Status, object Body) Answer)> AskAsync()
    {
        string? storage = null;
        while (true)
        {
            var askedAt = clock.GetTimestamp();
            var (state, failing, isFull) = await AskDatabaseAsync();
            if (state != "ok")
            {
                return (askedAt, (503, new { status = "not_ready", database = state }));
            }
            storage ??= await ProbeStorageAsync();
            // A storage that hangs must not make what the database said old.
            if (clock.GetElapsedTime(askedAt) < GoodFor)
            {
                return (askedAt, (200, Describe(storage, isFull, failing)));
            }
        }
    }

    private object Describe(string storage, bool isFull, string[] failing)
    {
        var room =
            storageRoom.IsDiskShort ? StorageRoom.DiskShort
            : isFull ? StorageRoom.UploadsFull
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
        };
    }

    private async Task<(string State, string[] Failing, bool UploadsAreFull)> AskDatabaseAsync()
    {
        // Its own limit and nobody's request: whoever hangs up must not end what others wait for.
        using var limit = new CancellationTokenSource(ProbeLimit, clock);
        try
        {
            var state = await database.OneOrNoneAsync<DatabaseState>(
                "select current_setting('transaction_read_only') = 'on' as is_read_only, array_to_string(array(select provider from list_outages()), ',') as failing,"
                    + " uploads_are_full($1::bigint, $2::bigint)",
                limit.Token,
                uploads.Value.InstallationBytes,
                uploads.Value.MaxBytes
            );
            if (!state!.IsReadOnly)
            {
                return ("ok", state.Failing.Split(',', StringSplitOptions.RemoveEmptyEntries), state.UploadsAreFull);
            }
            database.Leave();
            return ("read_only", [], false);
        }
        catch (Exception error) when (error is NpgsqlException or OperationCanceledException)
        {
            return ("unreachable", [], false);
        }
    }

    private async Task<string> ProbeStorageAsync()
    {
        using var limit = new CancellationTokenSource(ProbeLimit, clock);
        try
        {
            await files.ExistsAsync("videos", "health-probe", limit.Token);
            return "ok";
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            return "unreachable";
        }
    }

    private static string Say(bool isOn) => isOn ? "ok" : "off";

    private sealed record DatabaseState(bool IsReadOnly, string Failing, bool UploadsAreFull);
}
