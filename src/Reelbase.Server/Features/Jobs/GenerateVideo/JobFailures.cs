using Reelbase.Server.Integrations;
using Reelbase.Server.Platform.Errors;

namespace Reelbase.Server.Features.Jobs.GenerateVideo;

/// <summary>What a provider's failure is called towards users: a code of the catalogue, never the provider's words.</summary>
public static class JobFailures
{
    /// <summary>The catalogue's code.</summary>
    public static string Code(FailureKind kind) =>
        kind switch
        {
            FailureKind.Timeout => ErrorCodes.ProviderTimeout,
            FailureKind.ContentRejected => ErrorCodes.ContentRejected,
            FailureKind.InputRefused => ErrorCodes.InputRefused,
            _ => ErrorCodes.ProviderUnavailable,
        };

    /// <summary>The stored message; readers get it in their own language.</summary>
    public static string Message(string code) => ErrorCatalog.Find(code).En;
}
