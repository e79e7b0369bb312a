using System.Text.Json.Nodes;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Platform.Http;

/// <summary>What has to be learned from outside before an operation: it is one transaction, and none is open while anything outside is called.</summary>
public interface IOperationPreparation
{
    /// <summary>The name of the operation.</summary>
    string Operation { get; }

    /// <summary>Called after the caller's right was checked, before the operation itself; the request may be anything.</summary>
    /// <exception cref="Errors.ApiException">It cannot be done now, or never.</exception>
    Task PrepareAsync(Caller caller, JsonObject request, CancellationToken cancellationToken);
}
