using Npgsql;
using Reelbase.Server.Integrations.Apple.AppStore;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Features.Purchases;

/// <summary>Turns what is wrong with the App Store's answers into an alert, at once and once a day.</summary>
public sealed class AppStoreHealthListener(WorkerDatabase database, ILogger<AppStoreHealthListener> logger) : IAppStoreHealthListener
{
    /// <inheritdoc/>
    public async Task ReportAsync(string environment, string cause, string message)
    {
        try
        {
            await database.ExecuteAsync("select report_app_store_fault($1, $2, $3)", CancellationToken.None, environment, cause, message);
        }
        catch (NpgsqlException error)
        {
            // The caller has an answer to give; the next refusal raises it.
            logger.LogWarning("An alert could not be stored ({Reason}): {Message}", error.Message, message);
        }
    }
}
