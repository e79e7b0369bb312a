using System.Text.Json;

namespace Reelbase.Server.Integrations;

/// <summary>
/// What Reelbase needs from a video provider. An adapter speaks the vendor's protocol and answers in these words; it decides
/// nothing about money and keeps no state.
/// </summary>
public interface IVideoProvider
{
    /// <summary>The name in <c>models.provider</c> and in <c>/webhooks/{provider}/{token}</c>.</summary>
    string Name { get; }

    /// <summary>How many of our jobs the provider takes at once.</summary>
    int Concurrency { get; }

    /// <summary>Whether results can come by webhook.</summary>
    bool HasWebhooks { get; }

    /// <summary>Hosts that finished videos may be fetched from.</summary>
    IReadOnlyCollection<string> MediaHosts { get; }

    /// <summary>Hands a job over. Never throws for what the provider or the network does.</summary>
    Task<SubmitOutcome> SubmitAsync(GenerationInput input, string? webhookUrl, CancellationToken cancellationToken);

    /// <summary>Asks how a job stands. Never throws for what the provider or the network does.</summary>
    Task<PollOutcome> PollAsync(SubmissionRef submission, CancellationToken cancellationToken);

    /// <summary>Asks the provider to stop a job. True when the request was taken; the next poll tells what became of it.</summary>
    Task<bool> CancelAsync(SubmissionRef submission, CancellationToken cancellationToken);

    /// <summary>Checks an inbound event and names it; null when its signature is not good.</summary>
    Task<InboundEvent?> VerifyWebhookAsync(IHeaderDictionary headers, ReadOnlyMemory<byte> body, CancellationToken cancellationToken);

    /// <summary>What a stored event says about its job; <see cref="PollOutcome.Unknown"/> when the provider has to be asked.</summary>
    PollOutcome ReadWebhook(JsonElement payload);
}

/// <summary>A generation as a provider needs it.</summary>
public sealed record GenerationInput(string ProviderModelId, string Prompt, JsonElement Settings, string? ImageUrl);

/// <summary>A job at a provider.</summary>
public sealed record SubmissionRef(string? ProviderModelId, string ProviderJobId, string? StatusUrl, string? ResultUrl, string? CancelUrl);

/// <summary>An event whose signature is good.</summary>
public sealed record InboundEvent(string EventId, string EventType, string ProviderJobId);

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
    public sealed record Accepted(string ProviderJobId, string? StatusUrl, string? ResultUrl, string? CancelUrl) : SubmitOutcome;

    /// <summary>The provider certainly does not have it; it may be handed over again.</summary>
    /// <param name="Reason">For support.</param>
    /// <param name="RetryAfterSeconds">When the provider said how long to wait.</param>
    /// <param name="IsOurFault">A wrong key or an empty account: no user is to blame.</param>
    public sealed record NotAccepted(string Reason, double? RetryAfterSeconds, bool IsOurFault) : SubmitOutcome;

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
    public sealed record Succeeded(string VideoUrl) : PollOutcome;

    /// <summary>Ended without a video.</summary>
    public sealed record Failed(FailureKind Kind, string Reason) : PollOutcome;

    /// <summary>It could not be learned this time.</summary>
    public sealed record Unknown(string Reason) : PollOutcome;
}
