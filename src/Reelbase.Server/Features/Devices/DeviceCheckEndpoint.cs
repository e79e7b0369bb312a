using System.Buffers.Text;
using Microsoft.Extensions.Options;
using Reelbase.Server.Features.Catalog.AppSettings;
using Reelbase.Server.Features.Sessions;
using Reelbase.Server.Integrations.Apple.DeviceCheck;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Devices;

/// <summary>What a phone says about itself.</summary>
/// <param name="DeviceId">The app's own identifier of this installation; any text, best a UUID.</param>
/// <param name="DeviceToken">Apple's DeviceCheck token, base64.</param>
/// <param name="AppAttest">What App Attest made for this request; its client data is the UTF-8 of challenge, dot, device_id, dot, device_token.</param>
/// <param name="RefreshToken">The refresh token of the device's guest, when the app has one and brings a new App Attest key; it is not used up.</param>
public sealed record DeviceCheckRequest(string? DeviceId = null, string? DeviceToken = null, AppAttestRequest? AppAttest = null, string? RefreshToken = null)
{
    public DeviceCheckRequest()
        : this(null, null, null, null) { }
}

/// <summary>A guest and their session.</summary>
/// <param name="Success">Always true.</param>
/// <param name="UserId">The guest.</param>
/// <param name="CreditsRemaining">Their balance now; the grant may follow when <paramref name="IsValidDevice"/> is false.</param>
/// <param name="IsNew">Whether the guest was just made.</param>
/// <param name="IsValidDevice">Whether Apple has confirmed the device.</param>
/// <param name="AccessToken">Bearer token for the API.</param>
/// <param name="RefreshToken">Trades for the next pair.</param>
/// <param name="TokenType">bearer.</param>
/// <param name="ExpiresIn">Seconds that the access token lives.</param>
/// <param name="ExpiresAt">When it ends, Unix seconds.</param>
/// <param name="Session">The same as the auth API hands it out.</param>
public sealed record DeviceCheckResponse(
    bool Success,
    Guid UserId,
    int CreditsRemaining,
    bool IsNew,
    bool IsValidDevice,
    string AccessToken,
    string RefreshToken,
    string TokenType,
    int ExpiresIn,
    long ExpiresAt,
    SessionResponse Session
);

/// <summary><c>POST /device-check</c>: a phone becomes a guest with a session, and gets its free credits once.</summary>
public sealed class DeviceCheckEndpoint(
    ApiDatabase database,
    DeviceCheckClient apple,
    DeviceAttestation attestation,
    SessionService sessions,
    ChangeFeed feed,
    NewDeviceLimit limit,
    IOptions<DevicesOptions> options,
    ServerLimits limits,
    ILogger<DeviceCheckEndpoint> logger
) : IDisposable
{
    private const int MaxDeviceIdLength = 255;
    private const int MaxTokenLength = 16 * 1024;
    private const int MaxAttempts = 3;

    /// <summary>Requests that wait for the installation's turn on a node: some more than are served before the first of them would give up. Whoever comes over it has a session at once, and a worker decides their grant.</summary>
    internal const int MaxWaitingForTurn = 64;
    private static readonly TimeSpan PollPause = TimeSpan.FromMilliseconds(40);

    // The requests of one process queue here, so that only the first of them asks the database whose turn it is.
    private readonly SemaphoreSlim _line = new(1, 1);
    private int _waitingForTurn;
    private readonly DeviceGrants _grants = new(database, apple, options, $"api/{Environment.ProcessId}", logger);
    private readonly DeviceQuestions _questions = new(database, apple, options.Value, $"api/{Environment.ProcessId}", logger);

    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/device-check", (HttpContext context, DeviceCheckEndpoint endpoint) => endpoint.HandleAsync(context))
            .WithTags("Devices")
            .WithName("device-check")
            .WithSummary("Onboard a guest, or give a known device its session back")
            .Accepts<DeviceCheckRequest>("application/json")
            .Produces<DeviceCheckResponse>()
            .Fails(400, 403, 413, 415, 429, 503)
            .Examples(
                new { device_id = "7d3c0c9e-6a53-4f0e-9a8e-2f1f0b7c1a11", device_token = "ZGV2aWNlOm15LXBob25l" },
                new
                {
                    success = true,
                    user_id = "0b9fd0a2-6a55-4d2e-a6c3-5c0d3a2f9b10",
                    credits_remaining = 10,
                    is_new = true,
                    is_valid_device = true,
                    access_token = "eyJ...",
                    refresh_token = "Q0r...",
                    token_type = "bearer",
                    expires_in = 3600,
                    expires_at = 1790000000,
                    session = new { },
                }
            );

    private async Task<IResult> HandleAsync(HttpContext context)
    {
        var (request, deviceId, deviceToken) = await ReadAsync(context);
        // Before a challenge is used up or anything is asked about the device.
        if (await limit.RefuseAsync(context, deviceId, deviceToken) is { } refused)
        {
            return refused;
        }
        var phone = new DeviceRequest(deviceId, deviceToken, await attestation.VerifyAsync(context, request));
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            if (await TryAsync(context, phone) is { } answer)
            {
                return answer;
            }
        }
        throw new ApiException(ErrorCodes.DatabaseUnavailable);
    }

    /// <summary>The answer; null when the guest became somebody else between being opened and getting their session.</summary>
    private async Task<IResult?> TryAsync(HttpContext context, DeviceRequest phone)
    {
        var device = await OpenAsync(context, phone);
        RateLimitHeaders.Set(context, device.RateLimit, device.RateRemaining, device.RateResetAt);
        limit.Note(context, device.RateRemaining, device.RateResetAt);
        var isVerified = device.IsVerified!.Value;
        if (device.GrantId is { } grantId)
        {
            isVerified = await DecideAsync(grantId, phone, context.RequestAborted) switch
            {
                GrantResult.Decided => true,
                // What Apple has accepted a moment ago is good enough for the session; the grant starts anew with the next token.
                GrantResult.Refused when device.Verdict == DeviceVerdict.Accepted => false,
                GrantResult.Refused => await RefuseAsync(context),
                GrantResult.Banned => throw Banned(),
                _ => false,
            };
        }
        return await RespondAsync(device, isVerified, context.RequestAborted);
    }

    /// <summary>The request, or the fitting error.</summary>
    private static async Task<(DeviceCheckRequest Request, string DeviceId, string DeviceToken)> ReadAsync(HttpContext context)
    {
        var request = await RequestBody.ReadAsync<DeviceCheckRequest>(context);
        if (request.DeviceId is not { Length: > 0 and <= MaxDeviceIdLength } deviceId || string.IsNullOrWhiteSpace(deviceId))
        {
            throw ApiException.Field(ErrorCodes.MalformedRequest, "device_id", "required");
        }
        if (request.DeviceToken is not { Length: > 0 and <= MaxTokenLength } token)
        {
            throw ApiException.Field(ErrorCodes.MalformedRequest, "device_token", "required");
        }
        if (!Base64.IsValid(token))
        {
            throw new ApiException(ErrorCodes.InvalidDevice, new { reason = "device_token_is_not_base64" });
        }
        return (request, deviceId, token);
    }

    /// <summary>Asks Apple about the token of a known device, and opens whoever may be opened then.</summary>
    private async Task<OpenedDevice> OpenAsync(HttpContext context, DeviceRequest phone)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var check = limit.CheckAgain(context, phone.DeviceId, phone.DeviceToken);
            OpenedDevice? unasked = null;
            var proof = await _questions.AskAsync(
                phone.DeviceId,
                phone.DeviceToken,
                async claimToken =>
                {
                    unasked = await TryOpenAsync(context, phone, claimToken, check);
                    return new(unasked.Outcome!, unasked.QuestionId);
                },
                context.RequestAborted
            );
            if (proof.Verdict == DeviceVerdict.Refused)
            {
                throw NotReal();
            }
            var device = proof.Verdict == DeviceVerdict.NotAsked ? unasked! : await OpenAsync(context, phone, proof, check);
            switch (device.Refusal)
            {
                case null:
                    Announce(device);
                    return device;
                // Somebody else has made the device known between the question and this.
                case "unasked":
                    continue;
                case var refusal:
                    // A ban is to be marked at Apple, for which this call's token is good.
                    feed.Publish(DeviceGrantWorker.Topic);
                    throw refusal == "banned" ? Banned() : new ApiException(ErrorCodes.InvalidDevice, new { reason = "device_blocked" });
            }
        }
        var unverified = await OpenAsync(context, phone, new(DeviceVerdict.Unverified));
        return unverified.Refusal is null ? unverified : throw Banned();
    }

    /// <summary>Whether Apple has to be asked first; whoever is opened without that is opened by the same call.</summary>
    private async Task<OpenedDevice> TryOpenAsync(HttpContext context, DeviceRequest phone, string claimToken, RepeatedCheck check) =>
        (
            await limit.WatchAsync(
                context,
                () =>
                    database.WithStrangerPlaceAsync(
                        () =>
                            database.QuerySingleOrDefaultAsync<OpenedDevice>(
                                "select * from try_open_device($1, $2, $3, $4::integer, $5, $6, $7, $8, $9::integer, $10, $11::jsonb, $12::text::jsonb)",
                                context.RequestAborted,
                                phone.DeviceId,
                                phone.DeviceToken,
                                context.Connection.RemoteIpAddress,
                                options.Value.QuestionsPerWindow < 0 ? null : options.Value.QuestionsPerWindow,
                                options.Value.QuestionWindowSeconds,
                                options.Value.VerdictSeconds,
                                claimToken,
                                options.Value.TurnSeconds,
                                limits.OrNone("Devices:NewDevicesPerWindow", options.Value.NewDevicesPerWindow),
                                options.Value.WindowSeconds,
                                options.Value.RiskRules,
                                phone.Key
                            ),
                        context.RequestAborted,
                        check
                    )
            )
        )!;

    private async Task<OpenedDevice> OpenAsync(HttpContext context, DeviceRequest phone, DeviceProof proof, RepeatedCheck? check = null) =>
        (
            await limit.WatchAsync(
                context,
                () =>
                    database.WithStrangerPlaceAsync(
                        () =>
                            database.QuerySingleOrDefaultAsync<OpenedDevice>(
                                "select null::text as outcome, null::uuid as question_id, o.* from open_device($1, $2, $3, $4::text, $5, $6::integer, $7, $8::jsonb, $9::text::jsonb) o",
                                context.RequestAborted,
                                phone.DeviceId,
                                phone.DeviceToken,
                                context.Connection.RemoteIpAddress,
                                proof.Verdict switch
                                {
                                    DeviceVerdict.Accepted => "accepted",
                                    DeviceVerdict.Unverified => "unverified",
                                    _ => null,
                                },
                                proof.IsCounted,
                                limits.OrNone("Devices:NewDevicesPerWindow", options.Value.NewDevicesPerWindow),
                                options.Value.WindowSeconds,
                                options.Value.RiskRules,
                                phone.Key
                            ),
                        context.RequestAborted,
                        check
                    )
            )
        )! with
        {
            Verdict = proof.Verdict,
        };

    /// <summary>Whoever is part of the guest from now on checks again who they are; whoever waits for Apple is asked about.</summary>
    private void Announce(OpenedDevice device)
    {
        foreach (var userId in (device.Joined ?? Array.Empty<Guid>()).Cast<Guid>())
        {
            feed.Publish(CallerResolver.TopicOf(userId));
        }
        if (device.Verdict == DeviceVerdict.Unverified)
        {
            feed.Publish(TemporaryGuestWorker.Topic);
        }
    }

    private async Task<IResult?> RespondAsync(OpenedDevice device, bool isVerified, CancellationToken cancellationToken)
    {
        var started = await database.AdmittedAsync(() => sessions.StartGuestAsync(device.UserId!.Value, cancellationToken), cancellationToken);
        if (started is not var (session, user))
        {
            return null;
        }
        return Json.Result(
            new DeviceCheckResponse(
                true,
                user.UserId,
                user.CreditsRemaining,
                device.IsNew!.Value,
                isVerified,
                session.AccessToken,
                session.RefreshToken,
                session.TokenType,
                session.ExpiresIn,
                session.ExpiresAt,
                session
            )
        );
    }

    /// <inheritdoc/>
    public void Dispose() => _line.Dispose();

    private static ApiException Banned() => new(ErrorCodes.Forbidden, new { reason = "banned" });

    private static ApiException NotReal() => new(ErrorCodes.InvalidDevice, new { reason = "not_a_real_device" });

    private async Task<bool> RefuseAsync(HttpContext context)
    {
        await database.ExecuteAsync("select note_device_failure($1)", CancellationToken.None, context.Connection.RemoteIpAddress);
        throw NotReal();
    }

    private async Task<GrantResult> DecideAsync(Guid grantId, DeviceRequest phone, CancellationToken cancellationToken)
    {
        try
        {
            // Where nobody can be asked a turn would only be taken and given back: two commits for each new device.
            if (Interlocked.Increment(ref _waitingForTurn) <= MaxWaitingForTurn && apple.CanAsk(phone.DeviceToken))
            {
                return await DecideInTurnAsync(grantId, phone.DeviceId, cancellationToken);
            }
        }
        finally
        {
            Interlocked.Decrement(ref _waitingForTurn);
        }
        feed.Publish(DeviceGrantWorker.Topic);
        return GrantResult.Later;
    }

    private async Task<GrantResult> DecideInTurnAsync(Guid grantId, string deviceId, CancellationToken cancellationToken)
    {
        var deadline = DateTime.UtcNow.AddSeconds(options.Value.MaxWaitSeconds);
        if (await _line.WaitAsync(TimeSpan.FromSeconds(options.Value.MaxWaitSeconds), cancellationToken))
        {
            try
            {
                do
                {
                    // Once begun, a turn is carried through although the phone may have hung up.
                    if (await _grants.TakeTurnAsync(grantId, CancellationToken.None) is { } turn)
                    {
                        if (turn.GrantId == grantId)
                        {
                            return turn.Result;
                        }
                        continue;
                    }
                    var state = await database.QuerySingleOrDefaultAsync<GrantState>("select * from get_device_grant($1)", cancellationToken, grantId);
                    if (
                        state is { Stage: "banned" }
                        || state is null or { Stage: "rejected" or "denied" }
                            && await database.ScalarAsync<bool>("select is_device_banned($1)", cancellationToken, deviceId)
                    )
                    {
                        // The worker was quicker and heard of the ban; the guest made for this call is gone.
                        return GrantResult.Banned;
                    }
                    if (state is null or { Stage: "rejected" })
                    {
                        return GrantResult.Refused;
                    }
                    if (state.Stage is "granted" or "denied")
                    {
                        return GrantResult.Decided;
                    }
                    if (state.IsDecided)
                    {
                        break;
                    }
                    await Task.Delay(PollPause, cancellationToken);
                } while (DateTime.UtcNow < deadline);
            }
            finally
            {
                _line.Release();
            }
        }
        feed.Publish(DeviceGrantWorker.Topic);
        return GrantResult.Later;
    }

    private sealed record OpenedDevice(
        string? Outcome,
        Guid? QuestionId,
        Guid? UserId,
        bool? IsNew,
        Guid? GrantId,
        bool? IsVerified,
        int? RateLimit,
        int? RateRemaining,
        DateTime? RateResetAt,
        string? Refusal,
        Array? Joined
    )
    {
        /// <summary>What was known of the token when this device was opened.</summary>
        public DeviceVerdict Verdict { get; init; }
    }

    private sealed record DeviceRequest(string DeviceId, string DeviceToken, string? Key);

    private sealed record GrantState(string Stage, bool IsDecided);
}
