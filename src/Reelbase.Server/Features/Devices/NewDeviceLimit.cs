using System.Net;
using Microsoft.Extensions.Options;
using Npgsql;
using Reelbase.Server.Features.Catalog.AppSettings;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;

namespace Reelbase.Server.Features.Devices;

/// <summary>
/// Device-checks from addresses that were over their limit of new devices a moment ago. Many of them are confirmed in one statement that takes no lock;
/// whatever is not confirmed (a known device, a repetition, a window that has moved on) goes the usual way.
/// </summary>
public sealed class NewDeviceLimit(ReachedLimits reached, ApiDatabase database, IOptions<DevicesOptions> options, ServerLimits limits)
{
    private const string Action = "device_check_new";
    private const int MaxWaiting = 10_000;

    private readonly BatchedCalls<Check, Confirmed?> _checks = new(
        async checks =>
        {
            var all = new Confirmed?[checks.Count];
            foreach (
                var row in await database.ListAsync<Confirmed>(
                    "select * from confirm_device_limit($1, $2, $3, $4::integer, $5)",
                    CancellationToken.None,
                    checks.Select(check => check.DeviceId).ToArray(),
                    checks.Select(check => check.DeviceToken).ToArray(),
                    checks.Select(check => check.Address).ToArray(),
                    limits.OrNone("Devices:NewDevicesPerWindow", options.Value.NewDevicesPerWindow),
                    options.Value.WindowSeconds
                )
            )
            {
                all[row.Place - 1] = row;
            }
            return all;
        },
        MaxWaiting
    );

    /// <summary>Statements by which refusals were confirmed.</summary>
    internal long Confirmations => _checks.Calls;

    /// <summary>The refusal of a device-check that is over its address's limit for certain; null when <c>open_device</c> has to say.</summary>
    public async Task<ErrorResponse?> RefuseAsync(HttpContext context, string deviceId, string deviceToken)
    {
        if (
            !reached.Contains(LimitSubject.Of(Action, context.Connection.RemoteIpAddress))
            || _checks.TryAsk(new(deviceId, deviceToken, context.Connection.RemoteIpAddress ?? IPAddress.Any)) is not { } asked
        )
        {
            return null;
        }
        if (await asked is not { } over)
        {
            return null;
        }
        // Nobody has signed in, or it does not matter here.
        ErrorWriter.SetChosenLanguage(context, null);
        return new(ReachedLimits.Refusal(over.RateLimit, "address", over.RetryAfterSeconds));
    }

    /// <summary>For a device-check that has waited for its place while the database refused others of the same address.</summary>
    public RepeatedCheck CheckAgain(HttpContext context, string deviceId, string deviceToken) =>
        new(
            () => reached.Contains(LimitSubject.Of(Action, context.Connection.RemoteIpAddress)),
            async () =>
            {
                if (await RefuseAsync(context, deviceId, deviceToken) is { } refused)
                {
                    throw refused.Error;
                }
            }
        );

    /// <summary>Remembers that this device took the last place of its address.</summary>
    public void Note(HttpContext context, int? remaining, DateTime? resetAt) =>
        reached.Note(LimitSubject.Of(Action, context.Connection.RemoteIpAddress), remaining, resetAt);

    /// <summary>Calls <c>open_device</c>, and remembers a refusal by the address's limit.</summary>
    public async Task<T> WatchAsync<T>(HttpContext context, Func<Task<T>> callAsync)
    {
        try
        {
            return await callAsync();
        }
        catch (NpgsqlException error)
            when (reached.Note(error, scope => scope == "address" ? LimitSubject.Of(Action, context.Connection.RemoteIpAddress) : null))
        {
            throw;
        }
    }

    private sealed record Check(string DeviceId, string DeviceToken, IPAddress Address);

    private sealed record Confirmed(int Place, int RateLimit, int RetryAfterSeconds);
}
