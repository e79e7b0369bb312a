using System.Diagnostics;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Reelbase.Server.Features.Supabase.Import;
using Reelbase.Server.Platform.Database;
using Reelbase.Simulators;
using Reelbase.Simulators.SupabaseStorage;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Videos, thumbnails and pictures move in from a pretend Supabase storage over HTTP; what cannot be had is named, and the key goes nowhere else.</summary>
public sealed class ImportFilesTests : IAsyncLifetime
{
    private const string Guest = "10000000-0000-4000-8000-000000000001";
    private const string Twin = "10000000-0000-4000-8000-000000000002";
    private const string Member = "10000000-0000-4000-8000-000000000003";
    private const string Done = "40000000-0000-4000-8000-000000000001";

    private WebApplication _simulators = null!;
    private string _project = "";
    private string _data = "";
    private string _target = "";
    private SupabaseProject _source = null!;
    private byte[] _video = [];

    private SupabaseStorageState Former => _simulators.Services.GetRequiredService<SupabaseStorageState>();

    public async ValueTask InitializeAsync()
    {
        _simulators = SimulatorApp.Build(["--urls", TestSystem.AnyPort, "--Videos:Recorded", "true", "--Apple:Key", TestSystem.DeviceKey]);
        await _simulators.StartAsync();
        _project = TestSystem.AddressOf(_simulators) + "/former-project";
        _data = Path.Combine(TestCluster.Home, "import-files-" + Guid.NewGuid().ToString("N")[..8]);
        _source = await SupabaseProject.CreateAsync();
        _target = await TestCluster.CloneAsync();
        _video = await File.ReadAllBytesAsync(Path.Combine(AppContext.BaseDirectory, "recorded.mp4"));
        // The fixture names a video and a thumbnail of one job, and a video of another.
        Former.Files[$"videos/{Guest}/done.mp4"] = new(_video);
        Former.Files[$"thumbnails/{Guest}/done small.jpg"] = new(Pictures.Jpeg());
        Former.Files["videos/gone.mp4"] = new(_video);
    }

    public async ValueTask DisposeAsync() => await _simulators.DisposeAsync();

    [Fact]
    public async Task Files_of_jobs_and_pictures_in_a_users_folder_are_here_with_their_rows()
    {
        // One picture by the user's own id, one by the id of the sign-in.
        await KnowAsync("uploads", $"{Guest}/cat.jpg", Pictures.Jpeg(padding: 100));
        await KnowAsync("thumbnails", "90000000-0000-4000-8000-000000000003/albums/dog.jpg", Pictures.Jpeg(padding: 200));
        await KnowAsync("videos", $"{Guest}/done.mp4", _video);
        await KnowAsync("videos", "draft-of-nobody.mp4", _video);
        var (code, output) = await ImportAsync();
        Assert.Equal((0, output), (code, output));
        Assert.Contains("compare: files: 5 to carry, 5 here", output, StringComparison.Ordinal);
        Assert.Contains("report: file_foreign: 1 files of the bucket videos belong to no job and no user who is here", output, StringComparison.Ordinal);
        Assert.Equal(
            [
                $"pictures|{Guest}||{Pictures.Jpeg(padding: 100).Length}|image/jpeg|stored",
                $"pictures|{Member}||{Pictures.Jpeg(padding: 200).Length}|image/jpeg|stored",
                $"thumbnails|{Guest}|{Done}|{Pictures.Jpeg().Length}|image/jpeg|stored",
                $"videos|{Guest}|{Done}|{_video.Length}|video/mp4|stored",
                $"videos|{Member}|40000000-0000-4000-8000-000000000006|{_video.Length}|video/mp4|stored",
            ],
            await RowsAsync("select bucket, user_id, job_id, size_bytes, content_type, state from storage_objects order by bucket, user_id, size_bytes")
        );
        Assert.Equal([$"{Guest}/{Done}.mp4|{Guest}/{Done}.jpg"], await RowsAsync($"select video_url, thumbnail_url from video_jobs where job_id = '{Done}'"));
        Assert.Equal(
            [$"{Member}|thumbnails|{Member}|albums/dog.jpg", $"{Guest}|uploads|{Guest}|cat.jpg"],
            await RowsAsync("select user_id, bucket, folder, path from uploads order by path")
        );
        foreach (var file in await RowsAsync("select bucket || '/' || name from storage_objects"))
        {
            Assert.True(File.Exists(Path.Combine(_data, "storage", file)), file);
        }
        Assert.Equal(_video, await File.ReadAllBytesAsync(Path.Combine(_data, "storage", "videos", Guest, Done + ".mp4")));
        Assert.Equal(["0"], await RowsAsync("select count(*) from import_files where sha256 is null or size_bytes is null"));
        var asked = Former.Requests.Count;
        // Once more: nothing is asked for again and nothing changes.
        (code, output) = await ImportAsync();
        Assert.Equal((0, asked), (code, Former.Requests.Count));
        Assert.InRange(Former.MostAtOnce, 1, 4);
    }

    [Fact]
    public async Task Missing_cut_oversize_false_and_foreign_files_are_named_and_the_next_start_brings_what_is_there_by_then()
    {
        await TestCluster.ExecuteAsync(
            _source.Database,
            $"""
            update video_jobs set video_url = 'https://project.supabase.co/storage/v1/object/public/videos/{Guest}/stolen.mp4' where job_id = '40000000-0000-4000-8000-000000000004';
            update video_jobs set video_url = 'https://project.supabase.co/storage/v1/object/public/videos/%2e%2e/%2e%2e/%2e%2e/%2e%2e/inside' where job_id = '40000000-0000-4000-8000-000000000003';
            """
        );
        Former.Files.Remove($"thumbnails/{Guest}/done small.jpg", out _);
        Former.Files[$"videos/{Guest}/stolen.mp4"] = new(_video);
        Former.Files["videos/gone.mp4"] = new(_video, Manner.Redirect);
        await KnowAsync("uploads", $"{Guest}/large.jpg", Pictures.Jpeg(padding: 40_000));
        await KnowAsync("uploads", $"{Guest}/page.jpg", "<html>no picture</html>"u8.ToArray());
        await KnowAsync("uploads", $"{Guest}/short.jpg", Pictures.Jpeg(), size: 9_999);
        await KnowAsync("uploads", $"{Guest}/other.jpg", Pictures.Jpeg(), eTag: "0123456789abcdef0123456789abcdef");
        await KnowAsync("uploads", $"{Guest}/endless.jpg", Pictures.Jpeg());
        Former.Files[$"uploads/{Guest}/endless.jpg"] = new([], Manner.Endless);
        var limit = Math.Max(_video.Length, 20_000);
        Assert.True(limit < 40_000, "the recorded video has grown");
        var (code, output) = await ImportAsync(("REELBASE__Downloads__MaxBytes", $"{limit}"));
        Assert.Equal((4, output), (code, output));
        string[] lines =
        [
            $"report: file_missing: thumbnails/{Guest}/done small.jpg of job {Done}: the former storage does not have it",
            $"report: file_refused: videos/gone.mp4 of job 40000000-0000-4000-8000-000000000006: it is redirected to another address, which is not followed",
            $"report: file_refused: videos/{Guest}/stolen.mp4 of job 40000000-0000-4000-8000-000000000004: foreign: it lies in the folder of another user",
            "report: file_refused: videos/../../../../inside of job 40000000-0000-4000-8000-000000000003: its name leads elsewhere",
            $"report: file_refused: uploads/{Guest}/large.jpg of user {Guest}: it has ",
            $"over the {limit} of Downloads:MaxBytes",
            $"report: file_refused: uploads/{Guest}/endless.jpg of user {Guest}: it has more than the {limit} bytes of Downloads:MaxBytes",
            $"report: file_refused: uploads/{Guest}/page.jpg of user {Guest}: it is no picture",
            $"report: file_refused: uploads/{Guest}/short.jpg of user {Guest}: it has {Pictures.Jpeg().Length} bytes and the former database says 9999",
            $"report: file_refused: uploads/{Guest}/other.jpg of user {Guest}: its ETag is not the one in the former database",
            "compare: files: 10 to carry, 1 here; DIFFERENT for 9, first ",
        ];
        Assert.All(lines, line => Assert.Contains(line, output, StringComparison.Ordinal));
        Assert.Empty(Former.Strayed);
        Assert.Equal([$"{Guest}/{Done}.mp4"], await RowsAsync("select name from storage_objects where state <> 'deleting'"));
        Assert.Equal(
            ["https://project.supabase.co/storage/v1/object/public/videos/gone.mp4"],
            await RowsAsync("select video_url from video_jobs where job_id = '40000000-0000-4000-8000-000000000006'")
        );
        Former.Files[$"thumbnails/{Guest}/done small.jpg"] = new(Pictures.Jpeg());
        (_, output) = await ImportAsync(("REELBASE__Downloads__MaxBytes", $"{limit}"));
        Assert.Contains("compare: files: 10 to carry, 2 here", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_key_is_in_no_output_and_a_wrong_one_or_an_open_address_is_one_line()
    {
        var (code, output) = await ImportAsync(("SUPABASE_SERVICE_ROLE_KEY", "wrong-key"));
        Assert.Equal(1, code);
        Assert.Contains("import: the former storage refuses the service key", output, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong-key", output, StringComparison.Ordinal);
        // From a file, which the environment would otherwise outdo.
        var file = Path.Combine(TestCluster.Home, "key-" + Guid.NewGuid().ToString("N")[..8]);
        await File.WriteAllTextAsync(file, Former.ServiceKey + "\n");
        (code, output) = await ServerProcess.RunAsync(
            new() { ["REELBASE__Server__DataDirectory"] = _data },
            Words("--files", _project, "--service-key-file", file, "--all")
        );
        Assert.Equal((0, output), (code, output));
        Assert.DoesNotContain(Former.ServiceKey, output, StringComparison.Ordinal);
        (code, output) = await ServerProcess.RunAsync(new() { ["SUPABASE_SERVICE_ROLE_KEY"] = "key" }, Words("--files", "http://storage.example.com"));
        Assert.Equal((1, true), (code, output.Contains("--files is the https address", StringComparison.Ordinal)));
        (code, output) = await ServerProcess.RunAsync(Words("--files", _project));
        Assert.Equal((2, true), (code, output.Contains("SUPABASE_SERVICE_ROLE_KEY", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Killed_among_its_files_it_goes_on_and_ends_as_if_nobody_had()
    {
        for (var i = 0; i < 40; i++)
        {
            await KnowAsync("uploads", $"{Guest}/{i}.jpg", Pictures.Jpeg(padding: i));
        }
        // Whoever is to kill it has the time of ten files for it.
        Former.Pause = TimeSpan.FromSeconds(2);
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Reelbase.Server.dll"), .. Words("--files", _project)])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["ASPNETCORE_ENVIRONMENT"] = "Development",
                ["REELBASE__Server__DataDirectory"] = _data,
                ["SUPABASE_SERVICE_ROLE_KEY"] = Former.ServiceKey,
            },
        };
        using (var process = Process.Start(start)!)
        {
            var read = Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            await Eventually.IsAsync(
                async () => process.HasExited || await RowsAsync("select count(*) >= 5 from import_files where state = 'stored'") is ["True"],
                isSo => isSo
            );
            Assert.False(process.HasExited, "the import was over before it could be killed");
            process.Kill();
            await process.WaitForExitAsync();
            await read;
        }
        Assert.NotEqual(["0"], await RowsAsync("select count(*) from import_files where state = 'pending'"));
        Former.Pause = TimeSpan.Zero;
        var (code, output) = await ImportAsync();
        Assert.Equal((0, output), (code, output));
        Assert.Equal(
            ["43|43|43"],
            await RowsAsync("select count(*), count(distinct (bucket, name)), count(*) filter (where state = 'stored') from storage_objects")
        );
        Assert.Equal(["40"], await RowsAsync("select count(*) from uploads"));
        // Those that were stored before the kill are not asked for again; at most those under way are.
        Assert.InRange(Former.Requests.Count, 43, 43 + FileImport.AtOnce);
    }

    [Fact]
    public async Task A_storage_that_is_silent_cut_or_overloaded_is_asked_a_few_times_and_not_for_ever()
    {
        // Only what never answers meets the short time.
        using var hasty = new FormerStorage(_project, Former.ServiceKey, 1_000_000)
        {
            Silence = TimeSpan.FromSeconds(2),
            LongestPause = TimeSpan.FromMilliseconds(10),
        };
        using var storage = new FormerStorage(_project, Former.ServiceKey, 1_000_000) { LongestPause = TimeSpan.FromMilliseconds(10) };
        var path = Path.Combine(TestCluster.Home, Guid.NewGuid().ToString("N"));
        foreach (
            var (manner, asked, fault) in new[]
            {
                (Manner.Stalled, hasty, "the former storage falls silent"),
                (Manner.CutShort, storage, "the connection to the former storage breaks"),
            }
        )
        {
            Former.Requests.Clear();
            Former.Files["videos/a.mp4"] = new(_video, manner);
            Assert.Equal(fault, (await asked.FetchAsync("videos", "a.mp4", path, CancellationToken.None)).Fault);
            Assert.Equal(4, Former.Requests.Count);
        }
        Former.Files["videos/a.mp4"] = new(_video, Failures: 2);
        var fetched = await storage.FetchAsync("videos", "a.mp4", path, CancellationToken.None);
        Assert.Equal((null, _video.Length), (fetched.Fault, fetched.Bytes));
        Former.Files["videos/a.mp4"] = new(_video, Failures: 9);
        Assert.Equal("the former storage answers 429", (await storage.FetchAsync("videos", "a.mp4", path, CancellationToken.None)).Fault);
    }

    [Fact]
    public async Task An_error_that_breaks_off_in_its_middle_is_a_broken_connection_and_ends_nothing()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(
                IPAddress.Loopback,
                0,
                listen =>
                    listen.Run(async connection =>
                    {
                        await connection.Transport.Input.ReadAsync();
                        await connection.Transport.Output.WriteAsync("HTTP/1.1 400 Bad Request\r\nContent-Length: 100\r\n\r\n{"u8.ToArray());
                    })
            )
        );
        await using var breaking = builder.Build();
        await breaking.StartAsync();
        using var storage = new FormerStorage(TestSystem.AddressOf(breaking), "key", 1_000_000) { LongestPause = TimeSpan.FromMilliseconds(10) };
        var fetched = await storage.FetchAsync("videos", "a.mp4", Path.Combine(TestCluster.Home, Guid.NewGuid().ToString("N")), CancellationToken.None);
        Assert.Equal("the connection to the former storage breaks", fetched.Fault);
    }

    [Fact]
    public async Task A_file_whose_name_is_being_removed_here_is_refused_and_not_fetched_for_ever()
    {
        var (code, output) = await ImportAsync();
        Assert.Equal((0, output), (code, output));
        const string file = $"bucket = 'videos' and name = '{Guest}/done.mp4'";
        // As if it had been under way when its earlier copy began to be removed.
        await TestCluster.ExecuteAsync(
            _target,
            $"update storage_objects set state = 'deleting' where name = '{Guest}/{Done}.mp4'; update import_files set state = 'pending', sha256 = null where {file}"
        );
        await TestCluster.ExecuteAsync(
            _target,
            $"select internal.import_finish_file(bucket, name, role, coalesce(job_id, user_id), 'videos', '{Guest}/{Done}.mp4', 1, 'video/mp4', '\\x00') from import_files where {file}"
        );
        Assert.Equal(["refused|a file of its name is being removed here"], await RowsAsync($"select state, reason from import_files where {file}"));
    }

    /// <summary>A file that lies in the storage and stands in its tables.</summary>
    private async Task KnowAsync(string bucket, string name, byte[] bytes, long? size = null, string? eTag = null)
    {
        var file = new FormerObject(bytes);
        Former.Files[$"{bucket}/{name}"] = file;
        await TestCluster.ExecuteAsync(
            _source.Database,
            $$"""
            insert into storage.objects (bucket_id, name, metadata) values ('{{bucket}}', '{{name}}', '{"size": {{size ?? bytes.Length}}, "eTag": "\"{{eTag
                ?? file.ETag}}\"", "mimetype": "image/jpeg"}')
            """
        );
    }

    private string[] Words(params string[] more) => ["import", "supabase", "--from", _source.Url, "--database", ConnectionStrings.ToUrl(_target), .. more];

    private Task<(int Code, string Output)> ImportAsync(params (string Name, string Value)[] settings)
    {
        var environment = new Dictionary<string, string> { ["REELBASE__Server__DataDirectory"] = _data, ["SUPABASE_SERVICE_ROLE_KEY"] = Former.ServiceKey };
        foreach (var (name, value) in settings)
        {
            environment[name] = value;
        }
        return ServerProcess.RunAsync(environment, Words("--files", _project, "--all"));
    }

    private Task<List<string>> RowsAsync(string sql) => SupabaseProject.RowsAsync(_target, sql);
}
