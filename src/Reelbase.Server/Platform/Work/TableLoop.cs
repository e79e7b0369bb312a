using Microsoft.Extensions.Options;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Platform.Work;

/// <summary>A work loop whose rows are renewed, given back and given up by the SQL functions that all such tables share.</summary>
public abstract class TableLoop<TItem>(WorkerDatabase database, ChangeFeed feed, IOptions<WorkOptions> options, ILogger logger)
    : WorkLoop<TItem>(feed, options, logger)
    where TItem : class, IClaimed
{
    /// <summary>Where the rows are.</summary>
    protected WorkerDatabase Database => database;

    /// <summary>The name of the work in the SQL function <c>work_table</c>.</summary>
    protected abstract string Work { get; }

    /// <summary>The row's key as text.</summary>
    protected abstract string KeyOf(TItem item);

    /// <inheritdoc/>
    protected override async Task<bool> RenewAsync(TItem item, CancellationToken cancellationToken) =>
        await database.ScalarAsync<bool>("select renew_work($1, $2, $3, $4)", cancellationToken, Work, KeyOf(item), item.ClaimToken, LeaseSeconds);

    /// <inheritdoc/>
    protected override Task GiveBackAsync(TItem item, string reason) =>
        database.ExecuteAsync("select give_work_back($1, $2, $3, $4)", CancellationToken.None, Work, KeyOf(item), item.ClaimToken, reason);

    /// <summary>Ends the attempts at a row: it stays, dead, for an operator to see, and the alert about it goes out.</summary>
    protected Task GiveUpAsync(TItem item, string reason) =>
        database.ExecuteAsync("select give_work_up($1, $2, $3, $4)", CancellationToken.None, Work, KeyOf(item), item.ClaimToken, reason);
}
