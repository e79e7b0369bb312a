using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Media;
using Reelbase.Server.Platform.Storage;

namespace Reelbase.Server.Features.Supabase.Import;

/// <summary>
/// Brings the files that carried rows name, and pictures that lie in a folder of a carried user, a few at a time. Each has the same place here at every attempt and
/// its outcome is one commit, so a kill loses the downloads that were under way. A file is what its bytes say, as large and as whole as the source has recorded.
/// </summary>
internal sealed class FileImport(SupabaseSource source, OwnerSession target, FormerStorage former, IFileStore store, Action<string> say) : IDisposable
{
    /// <summary>The most files at one time.</summary>
    public const int AtOnce = 4;

    private const int Page = 200;
    private const int MaxFailuresInARow = 20;
    private const string OneFile = "bucket = $1 and name = $2 and role = $3 and coalesce(job_id, user_id) = $4";

    private readonly SemaphoreSlim _oneAtATime = new(1, 1);
    private int _failuresInARow;

    /// <summary>Another installation's store is not written to.</summary>
    /// <exception cref="ImportRefusedException">It carries another mark.</exception>
    public async Task CheckStoreAsync(CancellationToken cancellationToken)
    {
        var own = await target.ScalarAsync<string>("select id::text from installation", cancellationToken);
        if (await store.ReadMarkerAsync(cancellationToken) is { } marker && marker != own)
        {
            throw new ImportRefusedException("the store of files here carries the mark of another installation");
        }
    }

    /// <summary>Brings what is not here; answers what the report says of files that are not here afterwards.</summary>
    /// <exception cref="FormerStorageException">The storage refuses the key, or is away.</exception>
    public async Task<List<Finding>> CarryAsync(CancellationToken cancellationToken)
    {
        var foreign = await ListPicturesAsync(cancellationToken);
        // What could not be had at an earlier start may be there now.
        await target.ExecuteAsync("update import_files set state = 'pending', reason = null where state in ('missing', 'refused')", cancellationToken);
        var total = await target.ScalarAsync<long>("select count(*) from import_files where state = 'pending'", cancellationToken);
        var (done, said) = (0L, Environment.TickCount64);
        while (await PendingAsync(cancellationToken) is { Count: > 0 } page)
        {
            await Parallel.ForEachAsync(
                page,
                new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
                async (file, stop) => await CarryAsync(file, stop)
            );
            done += page.Count;
            if (Environment.TickCount64 - said > 2_000)
            {
                said = Environment.TickCount64;
                say(string.Create(CultureInfo.InvariantCulture, $"{done} of {total} files"));
            }
        }
        return
        [
            .. foreign,
            .. await target.ListAsync(
                "select 'file_' || state, format('%s/%s of %s: %s', bucket, name, coalesce('job ' || job_id, 'user ' || user_id), reason) from import_files where state in ('missing', 'refused') order by state, bucket, name, job_id",
                reader => new Finding(reader.GetString(0), reader.GetString(1)),
                cancellationToken
            ),
        ];
    }

    /// <inheritdoc/>
    public void Dispose() => _oneAtATime.Dispose();

    private async Task<List<FormerFile>> PendingAsync(CancellationToken cancellationToken)
    {
        var page = await target.ListAsync(
            """
            select bucket, name, role, user_id, job_id, exists (
              select from users u where u.id = import_uuid(split_part(f.name, '/', 1)) and u.id <> f.user_id and u.merged_into is distinct from f.user_id and u.deleted_at is null)
            from import_files f where state = 'pending' order by bucket, name, role limit $1
            """,
            reader => new FormerFile(
                reader.GetString(0),
                reader.GetString(1),
                reader.GetString(2),
                reader.GetGuid(3),
                reader.IsDBNull(4) ? null : reader.GetGuid(4),
                reader.GetBoolean(5),
                null,
                null
            ),
            cancellationToken,
            Page
        );
        if (!source.Has("storage.objects", "metadata"))
        {
            return page;
        }
        var known = (
            await source.Database.ListAsync(
                $$"""
                select concat_ws(E'\t', (o ->> 'bucket_id') || '/' || (o ->> 'name'), coalesce(substring(o -> 'metadata' ->> 'size' from '^[0-9]{1,15}$'), '-'),
                  coalesce(nullif(trim(both '"' from o -> 'metadata' ->> 'eTag'), ''), '-'))
                from {{source.Rows("storage.objects")}} t where (o ->> 'bucket_id') || '/' || (o ->> 'name') = any ($1)
                """,
                cancellationToken,
                (object)page.Select(file => $"{file.Bucket}/{file.Name}").Distinct().ToArray()
            )
        ).Select(line => line.Split('\t')).ToLookup(parts => parts[0]);
        return
        [
            .. page.Select(file =>
                known[$"{file.Bucket}/{file.Name}"].FirstOrDefault() is { } parts
                    ? file with
                    {
                        Size = long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var size) ? size : null,
                        Version = parts[2] == "-" ? null : parts[2],
                    }
                    : file
            ),
        ];
    }

    /// <summary>Notes pictures that users had put into a folder of theirs, by either of their ids; answers how many files are nobody's.</summary>
    private async Task<List<Finding>> ListPicturesAsync(CancellationToken cancellationToken)
    {
        var foreign = new SortedDictionary<string, long>(StringComparer.Ordinal);
        if (!source.Has("storage.objects", "bucket_id"))
        {
            return [];
        }
        var objects = await source.Database.ReadAsync(
            $"""
            select null::text, jsonb_build_object('bucket', o ->> 'bucket_id', 'name', o ->> 'name', 'user', coalesce(u.id, f.folder), 'folder', f.folder)::text
            from {source.Rows("storage.objects")} t cross join lateral (select lower(split_part(o ->> 'name', '/', 1)) as folder) f
            left join (select lower(a.o ->> 'auth_user_id') as auth_id, min(lower(a.o ->> 'id')) as id from {source.Rows(
                "public.users"
            )} a where a.o ->> 'auth_user_id' is not null group by 1) u on u.auth_id = f.folder
            """,
            Page * 10,
            cancellationToken
        );
        while (await objects.PeekAsync(cancellationToken) is not null)
        {
            var page = new List<(string, string)>();
            while (page.Count < Page * 10 && await objects.PeekAsync(cancellationToken) is not null)
            {
                page.Add(("object", objects.Take()));
            }
            await target.InTransactionAsync(
                async () =>
                {
                    await target.CopyAsync("import_rows", "kind, o", page, cancellationToken);
                    foreach (
                        var (bucket, count) in await target.ListAsync(
                            "select bucket, files from import_pictures()",
                            reader => (reader.GetString(0), reader.GetInt64(1)),
                            cancellationToken
                        )
                    )
                    {
                        foreign[bucket] = foreign.GetValueOrDefault(bucket) + count;
                    }
                },
                cancellationToken
            );
        }
        return
        [
            .. foreign.Select(bucket => new Finding(
                "file_foreign",
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{bucket.Value} files of the bucket {bucket.Key} belong to no job and no user who is here, and are not copied"
                )
            )),
        ];
    }

    private async Task CarryAsync(FormerFile file, CancellationToken cancellationToken)
    {
        if (file.IsForeign)
        {
            await RecordAsync(file, "refused", "foreign: it lies in the folder of another user", cancellationToken);
            return;
        }
        if (file.Name.Split('/').Any(part => part is "" or "." or ".."))
        {
            await RecordAsync(file, "refused", "its name leads elsewhere", cancellationToken);
            return;
        }
        var path = store.NewTemporaryPath();
        try
        {
            var fetched = await former.FetchAsync(file.Bucket, file.Name, path, cancellationToken);
            if (fetched.Fault is { } fault)
            {
                await RecordAsync(file, fetched.IsMissing ? "missing" : "refused", fault, cancellationToken);
                if (!fetched.IsMissing && Interlocked.Increment(ref _failuresInARow) >= MaxFailuresInARow)
                {
                    throw new FormerStorageException($"{MaxFailuresInARow} files in a row could not be had, the last because {fault}: start again later");
                }
                return;
            }
            Interlocked.Exchange(ref _failuresInARow, 0);
            await KeepAsync(file, fetched, path, cancellationToken);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private async Task KeepAsync(FormerFile file, Fetched fetched, string path, CancellationToken cancellationToken)
    {
        var kind = await KindAsync(file, path, cancellationToken);
        var fault =
            file.Size is { } size && size != fetched.Bytes
                ? string.Create(CultureInfo.InvariantCulture, $"it has {fetched.Bytes} bytes and the former database says {size}")
            : file.Version is { } version && fetched.Version is { } came && version != came ? "its ETag is not the one in the former database"
            : kind is null ? $"it is no {(file.Role == "video" ? "whole MP4" : "picture")}"
            : null;
        if (fault is not null)
        {
            await RecordAsync(file, "refused", fault, cancellationToken);
            return;
        }
        var (bucket, name) = file.Place(kind!.Value.Extension);
        await OneAtATimeAsync(
            () =>
                target.ExecuteAsync(
                    "select import_reserve_file($1, $2, $3, $4, $5)",
                    cancellationToken,
                    bucket,
                    name,
                    file.UserId,
                    (object?)file.JobId ?? DBNull.Value,
                    file.Id
                ),
            cancellationToken
        );
        await store.PutAsync(bucket, name, path, kind.Value.Type, cancellationToken);
        if (!await IsKeptAsync(bucket, name, fetched, cancellationToken))
        {
            await RecordAsync(file, "refused", "the store here does not give back what it was given", cancellationToken);
            return;
        }
        await OneAtATimeAsync(
            () =>
                target.ExecuteAsync(
                    "select import_finish_file($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                    cancellationToken,
                    file.Bucket,
                    file.Name,
                    file.Role,
                    file.JobId ?? file.UserId,
                    bucket,
                    name,
                    fetched.Bytes,
                    kind.Value.Type,
                    fetched.Sha256
                ),
            cancellationToken
        );
    }

    /// <summary>Reads back what was stored: after the import the former storage goes away.</summary>
    private async Task<bool> IsKeptAsync(string bucket, string name, Fetched fetched, CancellationToken cancellationToken)
    {
        await using var stream = await store.OpenAsync(bucket, name, cancellationToken);
        return stream is not null
            && stream.Length == fetched.Bytes
            && (await SHA256.HashDataAsync(stream, cancellationToken)).AsSpan().SequenceEqual(fetched.Sha256);
    }

    private static async Task<(string Type, string Extension)?> KindAsync(FormerFile file, string path, CancellationToken cancellationToken)
    {
        if (file.Role == "video")
        {
            return await Mp4File.FindFaultAsync(path, cancellationToken) is null ? ("video/mp4", "mp4") : null;
        }
        return PictureFile.Read(path) is { } picture ? (picture.ContentType, picture.Extension) : null;
    }

    private Task RecordAsync(FormerFile file, string state, string reason, CancellationToken cancellationToken) =>
        OneAtATimeAsync(
            () =>
                target.ExecuteAsync(
                    $"update import_files set state = $5, reason = $6, size_bytes = $7 where {OneFile}",
                    cancellationToken,
                    file.Bucket,
                    file.Name,
                    file.Role,
                    file.JobId ?? file.UserId,
                    state,
                    reason,
                    (object?)file.Size ?? DBNull.Value
                ),
            cancellationToken
        );

    /// <summary>The session to the target is one connection.</summary>
    private async Task OneAtATimeAsync(Func<Task> act, CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            await act();
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    /// <param name="Bucket">Its bucket there.</param>
    /// <param name="Name">Its name there.</param>
    /// <param name="Role">What it is: video, thumbnail or picture.</param>
    /// <param name="UserId">Whose it is.</param>
    /// <param name="JobId">Which job shows it.</param>
    /// <param name="IsForeign">It lies in the folder of somebody else who is here.</param>
    /// <param name="Size">As the former database has it.</param>
    /// <param name="Version">Its ETag in them.</param>
    private sealed record FormerFile(string Bucket, string Name, string Role, Guid UserId, Guid? JobId, bool IsForeign, long? Size, string? Version)
    {
        /// <summary>The same at every attempt.</summary>
        public Guid Id => new(SHA256.HashData(Encoding.UTF8.GetBytes($"{Bucket}/{Name}"))[..16]);

        public (string Bucket, string Name) Place(string extension) =>
            Role switch
            {
                "video" => ("videos", $"{UserId}/{JobId}.{extension}"),
                "thumbnail" => ("thumbnails", $"{UserId}/{JobId}.{extension}"),
                _ => (StoreBuckets.Pictures, $"{Id.ToString("N")[..2]}/{Id:N}.{extension}"),
            };
    }
}
