$nyquist plug-in
$version 4
$type tool analyze
$debugbutton false
$name (_ "Separate Stems")
$author (_ "Stemdock")
$copyright (_ "MIT licence")
$control chosenmodel (_ "Model") choice (@models@) 0
$control chosenstems (_ "Stems") choice (@stems@) 0
$control chosenrest (_ "Everything else") choice (("No" "No") ("OneMoreTrack" "As one more track")) 0
$control chosenoriginal (_ "Original track") choice (("Leave" "Leave as it is") ("Mute" "Mute")) 0

(setf stemdock-folder "@folder@")
(setf stemdock-inbox "@folder@inbox/")
(setf stemdock-preference "FileFormats/ExternalProgramExportCommand")

;;@capture@

(defun stemdock-read-line (name)
  (let ((file (open (strcat stemdock-inbox name))) line)
    (cond (file (setf line (read-line file)) (close file)))
    line))

;; Inside the quotes of a command.
(defun stemdock-escape (text)
  (let ((escaped ""))
    (dotimes (i (length text))
      (let ((character (subseq text i (1+ i))))
        (if (or (string= character "\\") (string= character "\""))
            (setf escaped (strcat escaped "\\")))
        (setf escaped (strcat escaped character))))
    escaped))

;; The default of Audacity, if the user has never set one.
(defun stemdock-get-preference ()
  (let ((answer (aud-do (strcat "GetPreference: Name=" stemdock-preference))))
    (if (cdr answer) (car answer) "lame - \"%f\"")))

(defun stemdock-set-preference (value)
  (aud-do (strcat "SetPreference: Name=" stemdock-preference
                  " Value=\"" (stemdock-escape value) "\"")))

;; The user's export command as Audacity tells it and as it stands in the settings file: the former
;; lacks letters outside ASCII, the latter may be absent.
(defun stemdock-note-preference ()
  (let ((file (open "@settings@")) (disk ""))
    (cond (file
      (do ((line (read-line file) (read-line file))) ((null line))
        (if (and (> (length line) 29) (string= (subseq line 0 29) "ExternalProgramExportCommand="))
            (setf disk (subseq line 29))))
      (close file)))
    (setf stemdock-former (stemdock-get-preference))
    ;; If a crash has left ours, what was noted then still holds.
    (if (string-search "@marker@" stemdock-former)
        (let ((noted (stemdock-read-line "preference.txt")))
          (setf stemdock-former (if noted (subseq noted 7) "lame - \"%f\"")))
        (stemdock-write "preference.txt"
          (list (list "memory" stemdock-former) (list "disk" disk))))))

;; In some locales a command with letters outside ASCII is lost on the way. Then the value is put
;; back without them, and whoever has the pipe mends it.
(defun stemdock-restore-preference ()
  (let ((command (stemdock-read-line "restore.txt")))
    (if (and command (string-search "SetPreference" command)) (aud-do command))
    (if (string-search "@marker@" (stemdock-get-preference))
        (stemdock-set-preference stemdock-former))))

(defun stemdock-launch ()
  (stemdock-write-request
    (list (list "model" (nth chosenmodel '(@models@)))
          (list "stems" (nth chosenstems '(@stem-values@)))
          (list "rest" chosenrest)
          (list "mute" chosenoriginal)))
  (stemdock-write "reply.txt" '(("failed" "")))
  (stemdock-write "restore.txt" '(("" "")))
  (stemdock-note-preference)
  (stemdock-set-preference "@command@")
  (setf stemdock-exported
    (cdr (aud-do (strcat "Export2: Filename=\"" stemdock-inbox "request.CL\" NumChannels=2"))))
  (stemdock-restore-preference))

(defun stemdock-import ()
  (setf stemdock-imported
    (cdr (aud-do (strcat "Import2: Filename=\"" stemdock-inbox "stems.aup\""))))
  (stemdock-write "imported.txt" '(("imported" "")))
;; nil would take back with this plug-in's transaction what has just been imported.
  (if stemdock-imported
      ;; Audacity replaces the originals by copies from before when this plug-in ends, so muting
      ;; them here would not last.
      (strcat "The stems are below the other tracks."
              (if (= chosenoriginal 1) "\nPlease mute the original yourself." ""))
      (strcat "The stems are made, but Audacity could not import them.\n"
              "They are kept in " stemdock-folder)))

(defun stemdock-finish ()
  (let ((reply (stemdock-read-line "reply.txt")))
    (cond ((not stemdock-exported) nil)
          ((string= reply "detached ") nil)
          ((string= reply "import ") (stemdock-import))
          ((string-search "message " reply) (subseq reply 8))
          (t (strcat "Stemdock could not be started. In a terminal, run:\n"
                     "plugin-cli audacity doctor")))))

(stemdock-capture)
;; Anything but nil goes on with the next track; nil ends without a trace in the undo history.
(cond ((stemdock-last-track) (stemdock-launch) (stemdock-finish))
      (t ""))
