using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Reelbase.Server.Platform.Media;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Platform;

/// <summary>The programs that read what strangers made have nothing of ours: no environment, no network, no endless time or memory.</summary>
public sealed class VideoToolsTests : IDisposable
{
    private const string Video = "src/Reelbase.Simulators/recorded.mp4";
    private readonly string _home = Directory.CreateDirectory(Path.Combine(TestCluster.Home, "tools-" + Guid.NewGuid().ToString("N")[..8])).FullName;

    public void Dispose() => Directory.Delete(_home, recursive: true);

    [Fact]
    public async Task They_get_nothing_of_our_environment_read_only_files_and_have_bounded_time_and_memory()
    {
        var program = await ScriptAsync(
            $$"""
            env > '{{_home}}/environment'
            echo "$@" > '{{_home}}/arguments'
            { ulimit -v; ulimit -t; ulimit -c; umask; } > '{{_home}}/limits'
            echo '{"format":{"duration":"1.5"},"streams":[{"codec_type":"video","width":64,"height":48,"avg_frame_rate":"25/1"}]}'
            """
        );
        Environment.SetEnvironmentVariable("REELBASE_TEST_SECRET", "a secret of ours");
        var tools = new VideoTools(Options.Create(new MediaOptions { FfprobeFile = program, FfmpegFile = program }), NullLogger<VideoTools>.Instance);
        var (metadata, fault) = await tools.ProbeAsync(Repository.PathOf(Video), CancellationToken.None);
        Assert.Null(fault);
        Assert.Equal((64, 48), (metadata.Width, metadata.Height));
        AssertAlone();
        await tools.MakeThumbnailAsync(Repository.PathOf(Video), Path.Combine(_home, "picture.jpg"), CancellationToken.None);
        AssertAlone();

        void AssertAlone()
        {
            var environment = File.ReadAllLines(Path.Combine(_home, "environment"));
            Assert.All(environment, line => Assert.Contains(line.Split('=')[0], (string[])["PATH", "LC_ALL", "PWD", "SHLVL", "_", "OLDPWD"]));
            Assert.Contains("-protocol_whitelist file ", File.ReadAllText(Path.Combine(_home, "arguments")), StringComparison.Ordinal);
            var limits = File.ReadAllLines(Path.Combine(_home, "limits"));
            Assert.Equal("2097152", limits[0]);
            Assert.Equal("20", limits[1]);
            Assert.Equal("0", limits[2]);
            Assert.EndsWith("077", limits[3], StringComparison.Ordinal);
            File.Delete(Path.Combine(_home, "environment"));
            File.Delete(Path.Combine(_home, "arguments"));
        }
    }

    [Fact]
    [Trait("Needs", "ffmpeg")]
    public async Task The_real_ones_read_a_video_within_the_limits_and_its_picture_is_its_owners_alone()
    {
        var tools = new VideoTools(Options.Create(new MediaOptions()), NullLogger<VideoTools>.Instance);
        var (metadata, fault) = await tools.ProbeAsync(Repository.PathOf(Video), CancellationToken.None);
        Assert.Null(fault);
        Assert.True(metadata.Width > 0);
        var picture = Path.Combine(_home, "picture.jpg");
        Assert.True(await tools.MakeThumbnailAsync(Repository.PathOf(Video), picture, CancellationToken.None));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(picture));
    }

    [Fact]
    public async Task One_that_takes_too_long_is_ended_and_one_that_takes_too_much_memory_ends_itself()
    {
        var endless = new VideoTools(
            Options.Create(new MediaOptions { FfprobeFile = await ScriptAsync("exec sleep 600"), TimeoutSeconds = 1 }),
            NullLogger<VideoTools>.Instance
        );
        Assert.Equal((VideoMetadata.Unknown, null), await endless.ProbeAsync(Repository.PathOf(Video), CancellationToken.None));
        var hungry = await ScriptAsync("x=$(head -c 300000000 /dev/zero | tr '\\0' x); echo \"${#x}\"; exit 0");
        var greedy = new VideoTools(Options.Create(new MediaOptions { FfprobeFile = hungry, MaxMemoryMegabytes = 64 }), NullLogger<VideoTools>.Instance);
        Assert.NotNull((await greedy.ProbeAsync(Repository.PathOf(Video), CancellationToken.None)).Fault);
    }

    private async Task<string> ScriptAsync(string text)
    {
        var path = Path.Combine(_home, "program-" + Guid.NewGuid().ToString("N")[..8]);
        await Script.WriteAsync(path, "#!/bin/sh\n" + text + "\n");
        return path;
    }
}
