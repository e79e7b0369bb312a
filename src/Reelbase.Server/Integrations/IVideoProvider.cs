using System.Text.Json;

namespace Reelbase.Server.Integrations;

/// <summary>
/// What Reelbase needs from a video provider. An adapter speaks the vendor's protocol and answers in these words; it decides
/// nothing about money and keeps no state.
/// </summary>
/// <remarks>No member throws for what the provider or the network does; only a cancelled token ends a call early.</remarks>
public interface IVideoProvider
{
    /// <summary>The name in <c>models.provider</c> and in <c>/webhooks/{provider}/{token}</c>.</summary>
    string Name { get; }

    /// <summary>Limits and patience that every provider has.</summary>
    VideoProviderOptions Options { get; }

    /// <summary>Whether results can come by webhook.</summary>
    bool HasWebhooks { get; }

    /// <summary>Whether a poll of a finished job says what was billed for it, which its webhook may not.</summary>
    bool HasBills => false;

    /// <summary>Hands a job over.</summary>
    Task<SubmitOutcome> SubmitAsync(GenerationInput input, string? webhookUrl, CancellationToken cancellationToken);

    /// <summary>What a submission would send, for whoever edits a model; null when the adapter cannot say.</summary>
    ProviderRequest? Preview(GenerationInput input) => null;

    /// <summary>Asks how a job stands.</summary>
    Task<PollOutcome> PollAsync(SubmissionRef submission, CancellationToken cancellationToken);

    /// <summary>
    /// Asks the provider to stop a job that a poll has just found running; at some vendors the same call on a finished job deletes its
    /// result. True when the request was taken; the next poll says what became of it.
    /// </summary>
    Task<bool> CancelAsync(SubmissionRef submission, CancellationToken cancellationToken);

    /// <summary>Asks for something harmless, to learn whether the provider is back after an outage.</summary>
    Task<ProbeOutcome> ProbeAsync(CancellationToken cancellationToken);

    /// <summary>Checks an inbound event and names it.</summary>
    Task<InboundEvent> VerifyWebhookAsync(IHeaderDictionary headers, ReadOnlyMemory<byte> body, CancellationToken cancellationToken);

    /// <summary>What a stored event says about its job; <see cref="PollOutcome.Unknown"/> when the provider has to be asked.</summary>
    PollOutcome ReadWebhook(JsonElement payload);
}

/// <summary>A generation as a provider needs it.</summary>
/// <param name="ProviderModelId">The vendor's name of the model.</param>
/// <param name="Prompt">What is to be seen.</param>
/// <param name="Settings">What was chosen, in our words.</param>
/// <param name="ImageUrl">The picture to begin with.</param>
/// <param name="Map">How the model's row writes all that in its vendor's request (<see cref="ModelInput"/>); null or empty: in the adapter's plain way.</param>
public sealed record GenerationInput(string ProviderModelId, string Prompt, JsonElement Settings, string? ImageUrl, JsonElement? Map = null);

/// <summary>A submission as it would be sent, without the key.</summary>
public sealed record ProviderRequest(string Address, System.Text.Json.Nodes.JsonObject Body);

/// <summary>A job at a provider.</summary>
/// <param name="ProviderModelId">The vendor's name of the model; null when the model was removed meanwhile.</param>
/// <param name="ProviderJobId">The vendor's name of the job.</param>
/// <param name="StatusUrl">Where the vendor said to ask; null when it did not say.</param>
/// <param name="ResultUrl">Where the vendor said to fetch the result.</param>
/// <param name="CancelUrl">Where the vendor said to cancel.</param>
/// <param name="IsCancelling">Whether we have asked for the job to be stopped; some vendors then forget it.</param>
public sealed record SubmissionRef(
    string? ProviderModelId,
    string ProviderJobId,
    string? StatusUrl = null,
    string? ResultUrl = null,
    string? CancelUrl = null,
    bool IsCancelling = false
);

/// <summary>What came to a webhook's address.</summary>
public abstract record InboundEvent
{
    /// <summary>The vendor's word, meant for us.</summary>
    public sealed record Genuine(string EventId, string EventType, string ProviderJobId) : InboundEvent;

    /// <summary>Nothing shows that the vendor sent it, or not to us.</summary>
    public sealed record Unproven : InboundEvent;

    /// <summary>The vendor sent it, but there is no event in it.</summary>
    /// <param name="Reason">invalid_json, no_request_id ...; said in the answer.</param>
    public sealed record Unreadable(string Reason) : InboundEvent;
}

/// <summary>Why a job cannot succeed, in the words of the error catalogue.</summary>
public enum FailureKind
{
    /// <summary>ERR_5001.</summary>
    Timeout,

    /// <summary>ERR_5002.</summary>
    Unavailable,

    /// <summary>ERR_5003.</summary>
    ContentRejected,

    /// <summary>ERR_5004.</summary>
    InputRefused,

    /// <summary>The job was stopped because we asked for it.</summary>
    Cancelled,
}

/// <summary>What became of handing a job over.</summary>
public abstract record SubmitOutcome
{
    /// <summary>The provider has the job.</summary>
    public sealed record Accepted(string ProviderJobId, string? StatusUrl = null, string? ResultUrl = null, string? CancelUrl = null) : SubmitOutcome;

    /// <summary>The provider certainly does not have it; it may be handed over again.</summary>
    /// <param name="Reason">For support.</param>
    /// <param name="RetryAfterSeconds">When the provider said how long to wait.</param>
    /// <param name="IsOurFault">A wrong key or an empty account: no user is to blame.</param>
    public sealed record NotAccepted(string Reason, double? RetryAfterSeconds = null, bool IsOurFault = false) : SubmitOutcome;

    /// <summary>The provider will never take this job.</summary>
    public sealed record Rejected(FailureKind Kind, string Reason) : SubmitOutcome;

    /// <summary>Nobody can know whether the provider has it; it must not be handed over again.</summary>
    public sealed record Ambiguous(string Reason) : SubmitOutcome;
}

/// <summary>How a job stands at its provider.</summary>
public abstract record PollOutcome
{
    /// <summary>Waiting or working.</summary>
    public sealed record Running : PollOutcome;

    /// <summary>Done; the video is at this address.</summary>
    /// <param name="VideoUrl">Where the video is.</param>
    /// <param name="CostMicros">What the provider says it took, in millionths of a dollar.</param>
    /// <param name="BilledUnits">The units that it says it has billed: seconds or credits.</param>
    public sealed record Succeeded(string VideoUrl, long? CostMicros = null, decimal? BilledUnits = null) : PollOutcome;

    /// <summary>Ended without a video.</summary>
    public sealed record Failed(FailureKind Kind, string Reason, long? CostMicros = null) : PollOutcome;

    /// <summary>It could not be learned this time.</summary>
    /// <param name="Reason">For support.</param>
    /// <param name="IsOurFault">A wrong key or an empty account.</param>
    public sealed record Unknown(string Reason, bool IsOurFault = false) : PollOutcome;
}

/// <summary>Whether a provider answers.</summary>
/// <param name="IsUp">It answered, and it knows our account.</param>
/// <param name="IsOurFault">It answered that our account is not good.</param>
/// <param name="Detail">For the operator.</param>
public sealed record ProbeOutcome(bool IsUp, bool IsOurFault, string Detail);
