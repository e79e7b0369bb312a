using System.Globalization;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Features.Supabase.Import;

/// <summary>How far an import is.</summary>
internal sealed record ImportProgress(string LastUser, long Users, long Jobs, long LedgerRows, long RefreshTokens, long Consents, int Starts, bool RowsAreDone);

/// <summary>
/// Carries a former app's rows over, a batch of users at a time, each with everything that is theirs, in one transaction with the place that was reached: a kill
/// loses the batch and nothing else. The source is read from one moment, in the order of users, so its size does not matter to memory.
/// </summary>
internal sealed class SupabaseImport(SupabaseSource source, OwnerSession target, Action<string> say)
{
    /// <summary>The name of the import among others.</summary>
    public const string Kind = "supabase";

    private const long LockKey = 7_263_010;
    private const int LockTries = 60;
    private const int MaxUsers = 1_000;
    private const int MaxRows = 20_000;

    /// <summary>The most bytes of a batch, however few rows they are.</summary>
    private const int MaxCharacters = 16_000_000;

    /// <summary>Keeps another import out. One that was killed lets go as soon as the server notices.</summary>
    /// <exception cref="ImportRefusedException">Somebody imports.</exception>
    public async Task LockAsync(CancellationToken cancellationToken)
    {
        for (var tries = 0; !await target.ScalarAsync<bool>("select pg_try_advisory_lock($1)", cancellationToken, LockKey); tries++)
        {
            if (tries == LockTries)
            {
                throw new ImportRefusedException("another import into this installation is running");
            }
            await Task.Delay(500, cancellationToken);
        }
    }

    /// <summary>Where it is; null when nothing was ever written.</summary>
    public async Task<ImportProgress?> ProgressAsync(CancellationToken cancellationToken) =>
        (
            await target.ListAsync(
                "select last_user, users, jobs, ledger_rows, refresh_tokens, consents, starts, rows_finished_at is not null from imports where kind = $1",
                reader => new ImportProgress(
                    reader.GetString(0),
                    reader.GetInt64(1),
                    reader.GetInt64(2),
                    reader.GetInt64(3),
                    reader.GetInt64(4),
                    reader.GetInt64(5),
                    reader.GetInt32(6),
                    reader.GetBoolean(7)
                ),
                cancellationToken,
                Kind
            )
        ).FirstOrDefault();

    /// <summary>Opens the import, or says that it may be opened.</summary>
    /// <exception cref="ImportRefusedException">This installation is not to be filled from there.</exception>
    public async Task BeginAsync(bool isDryRun, CancellationToken cancellationToken)
    {
        var identity = await source.IdentityAsync(cancellationToken);
        try
        {
            await target.ExecuteAsync("select import_begin($1, $2, $3)", cancellationToken, Kind, identity, isDryRun);
        }
        catch (Npgsql.PostgresException error) when (error.SqlState == "RB010")
        {
            throw new ImportRefusedException(error.MessageText);
        }
    }

    /// <summary>Models and themes, then users from where it stopped.</summary>
    public async Task CarryAsync(CancellationToken cancellationToken)
    {
        await target.ExecuteAsync("select import_tables()", cancellationToken);
        await CarryCatalogAsync(cancellationToken);
        var progress = (await ProgressAsync(cancellationToken))!;
        var total = await source.Database.CountAsync($"select count(*) from {source.Rows("public.users")} t", cancellationToken);
        var after = progress.LastUser;
        if (progress.Starts > 1)
        {
            say(string.Create(CultureInfo.InvariantCulture, $"Going on after {progress.Users} of {total} users"));
        }
        var users = await source.UsersAsync(after, cancellationToken);
        (string Kind, ForeignCursor Rows)[] owned =
        [
            ("video_jobs", await source.OwnedAsync("public.video_jobs", after, cancellationToken)),
            ("quota_log", await source.LedgerAsync(after, cancellationToken)),
            ("tokens", await source.TokensAsync(after, cancellationToken)),
            ("consents", await source.OwnedAsync(source.Consents, after, cancellationToken)),
        ];
        var batch = new List<(string Kind, string Row)>();
        var (done, inBatch, size, said) = (progress.Users, 0, 0L, Environment.TickCount64);
        while (await users.PeekAsync(cancellationToken) is { } user)
        {
            Add("users", users.Take());
            inBatch++;
            foreach (var (kind, rows) in owned)
            {
                while (await rows.PeekAsync(cancellationToken) is { } row && string.CompareOrdinal(row.Key, user.Key) <= 0)
                {
                    var taken = rows.Take();
                    // What belongs to nobody stands between the users; the report has counted it.
                    if (row.Key == user.Key)
                    {
                        Add(kind, taken);
                    }
                }
            }
            if (inBatch >= MaxUsers || batch.Count >= MaxRows || size >= MaxCharacters || await users.PeekAsync(cancellationToken) is null)
            {
                await CarryBatchAsync(batch, user.Key, cancellationToken);
                done += inBatch;
                (inBatch, size) = (0, 0);
                batch.Clear();
                if (Environment.TickCount64 - said > 2_000)
                {
                    said = Environment.TickCount64;
                    say(string.Create(CultureInfo.InvariantCulture, $"{done} of {total} users"));
                }
            }
        }
        await target.ExecuteAsync(
            "update imports set rows_finished_at = coalesce(rows_finished_at, clock_timestamp()) where kind = $1",
            cancellationToken,
            Kind
        );

        void Add(string kind, string row)
        {
            batch.Add((kind, row));
            size += row.Length;
        }
    }

    private async Task CarryCatalogAsync(CancellationToken cancellationToken)
    {
        var rows = new List<(string, string)>();
        foreach (var table in new[] { "models", "themes" })
        {
            rows.AddRange(
                (await source.Database.ListAsync($"select o::text from {source.Rows("public." + table)} t", cancellationToken)).Select(row => (table, row))
            );
        }
        await target.InTransactionAsync(
            async () =>
            {
                await target.CopyAsync("import_rows", "kind, o", rows, cancellationToken);
                await target.ExecuteAsync("select import_catalog()", cancellationToken);
            },
            cancellationToken
        );
    }

    private Task CarryBatchAsync(List<(string Kind, string Row)> batch, string lastUser, CancellationToken cancellationToken) =>
        target.InTransactionAsync(
            async () =>
            {
                await target.CopyAsync("import_rows", "kind, o", batch, cancellationToken);
                await target.ExecuteAsync("analyze import_rows", cancellationToken);
                await target.ExecuteAsync("select import_users($1, $2)", cancellationToken, Kind, lastUser);
            },
            cancellationToken
        );
}

/// <summary>An import that may not be begun.</summary>
internal sealed class ImportRefusedException(string message) : InvalidOperationException(message);
